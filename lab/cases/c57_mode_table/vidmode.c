// SPDX-License-Identifier: GPL-2.0
/* vidmode: names of video modes by number. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/string.h>

struct vm_timing {
	u16 hsync, vsync;
	u32 clock;
};

struct vm_mode {
	char name[16];
	u16 width, height;
	u32 flags;
	struct vm_timing timing[3];
};

static struct vm_mode modes[] = {
	{ "vga", 640, 480, 1, { { 96, 2, 25175 } } },
	{ "svga", 800, 600, 1, { { 128, 4, 40000 } } },
	{ "xga", 1024, 768, 3, { { 136, 6, 65000 }, { 136, 6, 75000 } } },
	{ "hd", 1920, 1080, 7, { { 44, 5, 148500 }, { 44, 5, 74250 }, { 88, 5, 297000 } } },
};

static noinline u32 mode_clock(unsigned int nr, unsigned int variant)
{
	const struct vm_mode *mode = &modes[nr];

	return mode->timing[variant].clock; /* @fault */
}

static int clock_set(void *data, u64 code)
{
	/* the low byte is the variant, the rest the mode */
	u32 clock = mode_clock(code >> 8, code & 3);

	*(u32 *)data = clock;
	return 0;
}

static u32 last_clock;
static int clock_get(void *data, u64 *value)
{
	*value = *(u32 *)data;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(clock_fops, clock_get, clock_set, "%llu\n");

static struct dentry *vm_dir;

static int __init vidmode_init(void)
{
	vm_dir = debugfs_create_dir("vidmode", NULL);
	debugfs_create_file("clock", 0600, vm_dir, &last_clock, &clock_fops);
	return 0;
}

static void __exit vidmode_exit(void)
{
	debugfs_remove(vm_dir);
}

module_init(vidmode_init);
module_exit(vidmode_exit);
MODULE_LICENSE("GPL");
