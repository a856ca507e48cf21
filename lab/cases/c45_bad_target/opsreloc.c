// SPDX-License-Identifier: GPL-2.0
/* opsreloc: relocates a table of operations, and gets one entry wrong. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct op_table {
	u32 version;
	int (*read)(int reg);
	int (*write)(int reg, int value);
};

static int op_read(int reg)
{
	return reg * 2;
}

static int op_write(int reg, int value)
{
	return reg ^ value;
}

static struct op_table *op_live;
static struct dentry *op_dir;

static noinline void op_relocate(struct op_table *table)
{
	table->read = op_read;
	/* Relative where it should be absolute. */
	table->write = (int (*)(int, int))((unsigned long)op_write - (unsigned long)THIS_MODULE + 0x1000); /* @origin */
}

static noinline int op_store(struct op_table *table, int reg, int value)
{
	int ret = table->write(reg, value); /* @fault */

	return ret + table->version;
}

static int op_set(void *data, u64 value)
{
	pr_info("opsreloc: %d\n", op_store(op_live, 3, value));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(op_fops, NULL, op_set, "%llu\n");

static int __init op_init(void)
{
	op_live = kzalloc(sizeof(*op_live), GFP_KERNEL);
	if (!op_live)
		return -ENOMEM;
	op_relocate(op_live);
	op_dir = debugfs_create_dir("opsreloc", NULL);
	debugfs_create_file_unsafe("store", 0200, op_dir, NULL, &op_fops);
	return 0;
}

static void __exit op_exit(void)
{
	debugfs_remove_recursive(op_dir);
	kfree(op_live);
}

module_init(op_init);
module_exit(op_exit);
MODULE_LICENSE("GPL");
