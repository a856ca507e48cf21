// SPDX-License-Identifier: GPL-2.0
/* clkgate: gates clocks by name. */
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/slab.h>

struct cg_clock {
	u32 id;
	u32 users;
	u64 rate;
};

static struct cg_clock *cg_clocks[3];
static struct dentry *cg_dir;

static noinline struct cg_clock *cg_get(u64 id)
{
	if (id >= ARRAY_SIZE(cg_clocks))
		return ERR_PTR(-ENODEV); /* @origin */
	return cg_clocks[id];
}

static noinline void cg_set_rate(struct cg_clock *clk, u64 rate)
{
	if (!clk)
		return;
	clk->rate = rate; /* @fault */
}

static int cg_set(void *data, u64 value)
{
	struct cg_clock *clk = cg_get(value >> 32);

	cg_set_rate(clk, value & 0xffffffff);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cg_fops, NULL, cg_set, "%llx\n");

static int __init cg_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(cg_clocks); i++)
		cg_clocks[i] = kzalloc(sizeof(struct cg_clock), GFP_KERNEL);
	cg_dir = debugfs_create_dir("clkgate", NULL);
	debugfs_create_file_unsafe("rate", 0200, cg_dir, NULL, &cg_fops);
	return 0;
}

static void __exit cg_exit(void)
{
	debugfs_remove_recursive(cg_dir);
}

module_init(cg_init);
module_exit(cg_exit);
MODULE_LICENSE("GPL");
