// SPDX-License-Identifier: GPL-2.0
/* lutswap: replaces a lookup table under RCU and frees the old one later. */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

struct lut {
	struct rcu_head rcu;
	u32 generation;
	bool uploaded;
	u16 entry[32];
};

static struct lut __rcu *active;
static DEFINE_MUTEX(lut_lock);
static struct dentry *lut_dir;

static void lut_quiesce(struct lut *lut)
{
	/* the engine may still read it for a frame */
	if (lut->uploaded)
		msleep(20); /* @call */
	lut->uploaded = false;
}

static void lut_free(struct rcu_head *head)
{
	struct lut *lut = container_of(head, struct lut, rcu);

	lut_quiesce(lut); /* @origin */
	kfree(lut);
}

static int swap_set(void *data, u64 upload)
{
	struct lut *lut = kzalloc(sizeof(*lut), GFP_KERNEL), *old;

	if (!lut)
		return -ENOMEM;
	lut->uploaded = upload;
	mutex_lock(&lut_lock);
	old = rcu_dereference_protected(active, lockdep_is_held(&lut_lock));
	if (old)
		lut->generation = old->generation + 1;
	rcu_assign_pointer(active, lut);
	mutex_unlock(&lut_lock);
	if (old)
		call_rcu(&old->rcu, lut_free);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(swap_fops, NULL, swap_set, "%llu\n");

static int __init lutswap_init(void)
{
	lut_dir = debugfs_create_dir("lutswap", NULL);
	debugfs_create_file_unsafe("swap", 0200, lut_dir, NULL, &swap_fops);
	return 0;
}

static void __exit lutswap_exit(void)
{
	debugfs_remove_recursive(lut_dir);
	rcu_barrier();
}

module_init(lutswap_init);
module_exit(lutswap_exit);
MODULE_LICENSE("GPL");
