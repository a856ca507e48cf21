// SPDX-License-Identifier: GPL-2.0
/* colormap: draws spans; a span is small and passed by value. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct cm_surface {
	u32 width;
	u32 height;
	u32 pitch;
	u8 *pixels;
};

struct cm_span {
	struct cm_surface *surface;
	u16 x;
	u16 y;
	u32 length;
};

static struct cm_surface cm_screen = { .width = 64, .height = 32, .pitch = 64 };
static struct dentry *cm_dir;

static noinline u32 cm_clip(struct cm_span span, u32 scale)
{
	u32 room = span.surface->width - span.x; /* @fault */

	return min(span.length, room) * scale;
}

static noinline struct cm_span cm_span_at(u32 layer, u16 x)
{
	struct cm_span span = { .x = x, .length = 20 };

	/* Only the bottom layer has a surface yet. */
	if (layer == 0)
		span.surface = &cm_screen;
	return span; /* @origin */
}

static int cm_set(void *data, u64 value)
{
	pr_info("colormap: %u\n", cm_clip(cm_span_at(value >> 8, value & 0xff), 2));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cm_fops, NULL, cm_set, "%llx\n");

static int __init cm_init(void)
{
	cm_dir = debugfs_create_dir("colormap", NULL);
	debugfs_create_file_unsafe("span", 0200, cm_dir, NULL, &cm_fops);
	return 0;
}

static void __exit cm_exit(void)
{
	debugfs_remove_recursive(cm_dir);
}

module_init(cm_init);
module_exit(cm_exit);
MODULE_LICENSE("GPL");
