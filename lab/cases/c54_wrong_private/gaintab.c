// SPDX-License-Identifier: GPL-2.0
/* gaintab: shows channels of an amplifier and their calibration. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

struct gt_cal {
	u64 factory;
	u64 stamp;
	s32 offset;
	s32 scale;
};

struct gt_channel {
	const char *name;
	struct gt_cal *cal;
	u32 gain;
};

static struct gt_channel left = { .name = "left", .gain = 12 };
static struct dentry *gt_dir;

static int gt_show(struct seq_file *m, void *v)
{
	struct gt_channel *ch = m->private;

	seq_printf(m, "gain %u offset %d\n", ch->gain, ch->cal->offset); /* @fault */
	return 0;
}

static int gt_open(struct inode *inode, struct file *file)
{
	return single_open(file, gt_show, inode->i_private);
}

static const struct file_operations gt_fops = {
	.owner = THIS_MODULE,
	.open = gt_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = single_release,
};

static int __init gaintab_init(void)
{
	left.cal = kzalloc(sizeof(*left.cal), GFP_KERNEL);
	if (!left.cal)
		return -ENOMEM;
	left.cal->factory = 0x0011223344556677ULL;
	left.cal->stamp = 0x20230814113007ULL;
	left.cal->scale = 100;
	gt_dir = debugfs_create_dir("gaintab", NULL);
	debugfs_create_file("left", 0400, gt_dir, &left, &gt_fops);
	debugfs_create_file("left_cal", 0400, gt_dir, left.cal, &gt_fops); /* @origin */
	return 0;
}

static void __exit gaintab_exit(void)
{
	debugfs_remove_recursive(gt_dir);
}

module_init(gaintab_init);
module_exit(gaintab_exit);
MODULE_LICENSE("GPL");
