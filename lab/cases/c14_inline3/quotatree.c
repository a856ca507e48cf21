// SPDX-License-Identifier: GPL-2.0
/* quotatree: charges usage to a group and to every group above it. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct qt_limit {
	u64 soft;
	u64 hard;
	u32 overruns;
};

struct qt_group {
	u32 id;
	u64 used;
	struct qt_group *parent;
	struct qt_limit *limit;
};

static struct qt_group *qt_leaf;
static struct dentry *qt_dir;

static __always_inline u64 qt_hard(const struct qt_limit *limit)
{
	if (!limit->hard) /* @fault */
		return U64_MAX;
	return limit->hard;
}

static __always_inline bool qt_fits(const struct qt_group *grp, u64 bytes)
{
	return grp->used + bytes <= qt_hard(grp->limit);
}

static __always_inline int qt_charge_one(struct qt_group *grp, u64 bytes)
{
	if (!qt_fits(grp, bytes))
		return -EDQUOT;
	grp->used += bytes;
	return 0;
}

static noinline int qt_charge(struct qt_group *leaf, u64 bytes)
{
	struct qt_group *at;
	int ret = 0;

	for (at = leaf; at && !ret; at = at->parent)
		ret = qt_charge_one(at, bytes);
	return ret;
}

static int qt_set(void *data, u64 bytes)
{
	return qt_charge(qt_leaf, bytes);
}
DEFINE_DEBUGFS_ATTRIBUTE(qt_fops, NULL, qt_set, "%llu\n");

static struct qt_group *qt_new(u32 id, struct qt_group *parent, u64 hard)
{
	struct qt_group *grp = kzalloc(sizeof(*grp), GFP_KERNEL); /* @origin */

	if (!grp)
		return NULL;
	grp->id = id;
	grp->parent = parent;
	if (hard) {
		grp->limit = kzalloc(sizeof(*grp->limit), GFP_KERNEL);
		if (grp->limit)
			grp->limit->hard = hard;
	}
	return grp;
}

static int __init qt_init(void)
{
	/* The root has no limit, which nothing above expects. */
	qt_leaf = qt_new(2, qt_new(1, qt_new(0, NULL, 0), 1 << 20), 1 << 16);
	qt_dir = debugfs_create_dir("quotatree", NULL);
	debugfs_create_file_unsafe("charge", 0200, qt_dir, NULL, &qt_fops);
	return 0;
}

static void __exit qt_exit(void)
{
	debugfs_remove_recursive(qt_dir);
}

module_init(qt_init);
module_exit(qt_exit);
MODULE_LICENSE("GPL");
