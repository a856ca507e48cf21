// SPDX-License-Identifier: GPL-2.0
/* paramcpy: takes a block of parameters from user space. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/uaccess.h>

struct pc_block {
	u32 magic;
	u32 count;
	u64 values[6];
};

static u64 pc_total;
static struct dentry *pc_dir;

static noinline int pc_apply(const struct pc_block *block)
{
	if (block->magic != 0x70617261) /* @fault */
		return -EINVAL;
	pc_total += block->values[0];
	return 0;
}

static ssize_t pc_write(struct file *file, const char __user *buffer, size_t size, loff_t *pos)
{
	int ret;

	if (size < 4)
		return -EINVAL;
	/* Should be copied in first. */
	ret = pc_apply((__force const struct pc_block *)buffer); /* @origin */
	return ret ? ret : size;
}

static const struct file_operations pc_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = pc_write,
};

static int __init pc_init(void)
{
	pc_dir = debugfs_create_dir("paramcpy", NULL);
	debugfs_create_file("block", 0200, pc_dir, NULL, &pc_fops);
	return 0;
}

static void __exit pc_exit(void)
{
	debugfs_remove_recursive(pc_dir);
}

module_init(pc_init);
module_exit(pc_exit);
MODULE_LICENSE("GPL");
