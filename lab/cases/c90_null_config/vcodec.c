// SPDX-License-Identifier: GPL-2.0
/* vcodec: a library that opens codec sessions. */
#include <linux/module.h>
#include <linux/slab.h>
#include "vcodec.h"

static u32 clamp_rate(const struct vc_config *cfg)
{
	u32 cap = cfg->hd ? 20000 : 4000; /* @fault */

	return min(cfg->bitrate, cap);
}

struct vc_session *vc_open(const char *name, const struct vc_config *cfg)
{
	struct vc_session *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (!s)
		return NULL;
	strscpy(s->name, name, sizeof(s->name));
	s->bitrate = clamp_rate(cfg);
	return s;
}
EXPORT_SYMBOL_GPL(vc_open);

void vc_close(struct vc_session *s)
{
	kfree(s);
}
EXPORT_SYMBOL_GPL(vc_close);

static int __init vcodec_init(void)
{
	return 0;
}

module_init(vcodec_init);
MODULE_LICENSE("GPL");
