// SPDX-License-Identifier: GPL-2.0
/* pwmtable: duty tables of a PWM; the defaults are constant. */
#include <linux/debugfs.h>
#include <linux/module.h>

struct pt_step {
	u32 at;
	u32 duty;
	u32 ramp;
};

static const struct pt_step pt_defaults[] = {
	{ 0, 10, 1 }, { 40, 30, 2 }, { 60, 70, 4 }, { 80, 100, 8 },
};

struct pt_table {
	const char *name;
	u32 count;
	const struct pt_step *steps;
};

static struct pt_table pt_main = { "main", ARRAY_SIZE(pt_defaults), pt_defaults }; /* @origin */
static struct dentry *pt_dir;

static noinline void pt_adjust(struct pt_table *table, u32 index, u32 duty)
{
	struct pt_step *step = (struct pt_step *)&table->steps[index % table->count];

	step->duty = duty; /* @fault */
}

static int pt_set(void *data, u64 value)
{
	pt_adjust(data, value >> 8, value & 0xff);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pt_fops, NULL, pt_set, "%llx\n");

static int __init pt_init(void)
{
	pt_dir = debugfs_create_dir("pwmtable", NULL);
	debugfs_create_file_unsafe("adjust", 0200, pt_dir, &pt_main, &pt_fops);
	return 0;
}

static void __exit pt_exit(void)
{
	debugfs_remove_recursive(pt_dir);
}

module_init(pt_init);
module_exit(pt_exit);
MODULE_LICENSE("GPL");
