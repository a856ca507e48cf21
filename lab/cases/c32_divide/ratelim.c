// SPDX-License-Identifier: GPL-2.0
/* ratelim: limits how often something is done. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct rl_limit {
	u32 burst;
	u32 interval;
	u32 tokens;
};

static struct rl_limit *rl_main;
static struct dentry *rl_dir;

static noinline u32 rl_refill(struct rl_limit *limit, u32 elapsed)
{
	limit->tokens += elapsed / limit->interval; /* @fault */
	if (limit->tokens > limit->burst)
		limit->tokens = limit->burst;
	return limit->tokens;
}

static int rl_set(void *data, u64 elapsed)
{
	pr_info("ratelim: %u tokens\n", rl_refill(data, elapsed));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(rl_fops, NULL, rl_set, "%llu\n");

static int __init rl_init(void)
{
	rl_main = kzalloc(sizeof(*rl_main), GFP_KERNEL); /* @origin */
	if (!rl_main)
		return -ENOMEM;
	rl_main->burst = 16;
	rl_dir = debugfs_create_dir("ratelim", NULL);
	debugfs_create_file_unsafe("refill", 0200, rl_dir, rl_main, &rl_fops);
	return 0;
}

static void __exit rl_exit(void)
{
	debugfs_remove_recursive(rl_dir);
	kfree(rl_main);
}

module_init(rl_init);
module_exit(rl_exit);
MODULE_LICENSE("GPL");
