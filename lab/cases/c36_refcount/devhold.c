// SPDX-License-Identifier: GPL-2.0
/* devhold: holds devices open by reference. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/refcount.h>
#include <linux/slab.h>

struct dh_device {
	u32 minor;
	refcount_t users;
	bool gone;
	u32 puts;
};

static struct dh_device *dh_dev;
static struct dentry *dh_dir;

static noinline void dh_put(struct dh_device *dev)
{
	if (refcount_dec_and_test(&dev->users)) /* @call */
		dev->gone = true;
	dev->puts++;
}

static int dh_set(void *data, u64 puts)
{
	while (puts--)
		dh_put(data); /* @origin */
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(dh_fops, NULL, dh_set, "%llu\n");

static int __init dh_init(void)
{
	dh_dev = kzalloc(sizeof(*dh_dev), GFP_KERNEL);
	if (!dh_dev)
		return -ENOMEM;
	refcount_set(&dh_dev->users, 1);
	dh_dir = debugfs_create_dir("devhold", NULL);
	debugfs_create_file_unsafe("put", 0200, dh_dir, dh_dev, &dh_fops);
	return 0;
}

static void __exit dh_exit(void)
{
	debugfs_remove_recursive(dh_dir);
	kfree(dh_dev);
}

module_init(dh_init);
module_exit(dh_exit);
MODULE_LICENSE("GPL");
