// SPDX-License-Identifier: GPL-2.0
/* regmapx: register windows looked up by name; a lookup may fail with an error pointer. */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct rm_window {
	char name[24];
	u64 base;
	u32 size;
	u32 stride;
};

static struct rm_window rm_windows[] = {
	{ .name = "ctrl", .base = 0x1000, .size = 0x100, .stride = 4 },
	{ .name = "fifo", .base = 0x2000, .size = 0x80, .stride = 8 },
};
static struct dentry *rm_dir;

static noinline struct rm_window *rm_lookup(const char *name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(rm_windows); i++)
		if (!strcmp(rm_windows[i].name, name))
			return &rm_windows[i];
	return ERR_PTR(-ENOENT); /* @origin */
}

static noinline u64 rm_register(const char *name, u32 index)
{
	struct rm_window *win = rm_lookup(name);

	return win->base + (u64)index * win->stride; /* @fault */
}

static int rm_set(void *data, u64 index)
{
	pr_info("regmapx: %llx\n", rm_register(index < 32 ? "ctrl" : "ring", index));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(rm_fops, NULL, rm_set, "%llu\n");

static int __init rm_init(void)
{
	rm_dir = debugfs_create_dir("regmapx", NULL);
	debugfs_create_file_unsafe("register", 0200, rm_dir, NULL, &rm_fops);
	return 0;
}

static void __exit rm_exit(void)
{
	debugfs_remove_recursive(rm_dir);
}

module_init(rm_init);
module_exit(rm_exit);
MODULE_LICENSE("GPL");
