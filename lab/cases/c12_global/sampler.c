// SPDX-License-Identifier: GPL-2.0
/* sampler: samples a counter at the interval of the active profile. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct sm_profile {
	char name[24];
	u32 interval;
	u32 depth;
};

static struct sm_profile sm_idle = { .name = "idle", .interval = 1000, .depth = 8 };
static struct sm_profile *sm_active;
static u64 sm_ticks;
static struct dentry *sm_dir;

static int sm_select(const char *name)
{
	if (!strcmp(name, sm_idle.name)) {
		sm_active = &sm_idle;
		return 0;
	}
	sm_active = NULL; /* @origin */
	return -ENOENT;
}

static noinline u64 sm_period(u64 count)
{
	sm_ticks += count;
	return count * sm_active->interval; /* @fault */
}

static int sm_set(void *data, u64 count)
{
	pr_info("sampler: %llu us\n", sm_period(count));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sm_fops, NULL, sm_set, "%llu\n");

static int __init sm_init(void)
{
	if (sm_select("busy"))
		pr_warn("sampler: no such profile\n");
	sm_dir = debugfs_create_dir("sampler", NULL);
	debugfs_create_file_unsafe("period", 0200, sm_dir, NULL, &sm_fops);
	return 0;
}

static void __exit sm_exit(void)
{
	debugfs_remove_recursive(sm_dir);
}

module_init(sm_init);
module_exit(sm_exit);
MODULE_LICENSE("GPL");
