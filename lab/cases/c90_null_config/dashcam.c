// SPDX-License-Identifier: GPL-2.0
/* dashcam: records with a codec session, by the name of a preset. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/string.h>
#include "vcodec.h"

struct dc_preset {
	const char *name;
	struct vc_config config;
};

static const struct dc_preset presets[] = {
	{ "day", { .bitrate = 12000, .width = 1920, .height = 1080, .hd = true } },
	{ "night", { .bitrate = 6000, .width = 1280, .height = 720 } },
};

static const struct vc_config *dc_preset(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(presets); i++)
		if (sysfs_streq(presets[i].name, name))
			return &presets[i].config;
	return NULL; /* @origin */
}

static int record_set(const char *val, const struct kernel_param *kp)
{
	struct vc_session *s = vc_open("dashcam", dc_preset(val));

	if (!s)
		return -ENOMEM;
	vc_close(s);
	return 0;
}
static const struct kernel_param_ops record_ops = { .set = record_set };
module_param_cb(record, &record_ops, NULL, 0200);

static int __init dashcam_init(void)
{
	return 0;
}

module_init(dashcam_init);
MODULE_LICENSE("GPL");
