/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VCODEC_H
#define VCODEC_H
#include <linux/types.h>

/* What to encode to; never NULL. */
struct vc_config {
	u32 bitrate;
	u16 width, height;
	u8 profile;
	bool hd;
};

struct vc_session {
	char name[16];
	u32 bitrate;
};

struct vc_session *vc_open(const char *name, const struct vc_config *cfg);
void vc_close(struct vc_session *s);
#endif
