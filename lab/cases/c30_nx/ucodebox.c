// SPDX-License-Identifier: GPL-2.0
/* ucodebox: keeps microcode snippets in a buffer; one is started by mistake on the wrong processor. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct ub_box {
	u32 size;
	u32 started;
	int (*entry)(u32 argument);
	u8 *image;
};

static struct ub_box *ub_box;
static struct dentry *ub_dir;

static noinline int ub_load(struct ub_box *box, u32 size)
{
	box->image = kzalloc(size, GFP_KERNEL);
	if (!box->image)
		return -ENOMEM;
	box->size = size;
	box->entry = (int (*)(u32))(box->image + 16); /* @origin */
	return 0;
}

static noinline int ub_start(struct ub_box *box, u32 argument)
{
	int ret;

	box->started++;
	ret = box->entry(argument); /* @fault */
	return ret < 0 ? ret : 0;
}

static int ub_set(void *data, u64 argument)
{
	return ub_start(data, argument);
}
DEFINE_DEBUGFS_ATTRIBUTE(ub_fops, NULL, ub_set, "%llu\n");

static int __init ub_init(void)
{
	ub_box = kzalloc(sizeof(*ub_box), GFP_KERNEL);
	if (!ub_box || ub_load(ub_box, 256))
		return -ENOMEM;
	ub_dir = debugfs_create_dir("ucodebox", NULL);
	debugfs_create_file_unsafe("start", 0200, ub_dir, ub_box, &ub_fops);
	return 0;
}

static void __exit ub_exit(void)
{
	debugfs_remove_recursive(ub_dir);
}

module_init(ub_init);
module_exit(ub_exit);
MODULE_LICENSE("GPL");
