// SPDX-License-Identifier: GPL-2.0
/* routetab: routes under RCU; every route names the next to be tried. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

struct rt_route {
	u32 prefix;
	u32 metric;
	struct rt_route __rcu *next;
	struct rcu_head rcu;
};

static struct rt_route __rcu *routes;
static struct dentry *rt_dir;

static noinline u32 rt_best(u32 prefix)
{
	struct rt_route *r;
	u32 best = U32_MAX;

	rcu_read_lock();
	for (r = rcu_dereference(routes); r; r = rcu_dereference(r->next))
		if (r->prefix == prefix && r->metric < best)
			best = READ_ONCE(r->metric);
	rcu_read_unlock();
	return best;
}

static struct rt_route *rt_add(u32 prefix, u32 metric)
{
	struct rt_route *r = kzalloc(sizeof(*r), GFP_KERNEL);

	if (!r)
		return NULL;
	r->prefix = prefix;
	r->metric = metric;
	RCU_INIT_POINTER(r->next, rcu_dereference_protected(routes, 1));
	rcu_assign_pointer(routes, r);
	return r;
}

/* Moves a route to the front. */
static void rt_promote(struct rt_route *r)
{
	rcu_assign_pointer(r->next, rcu_dereference_protected(routes, 1)); /* @origin */
	rcu_assign_pointer(routes, r);
}

static void rt_free(struct rcu_head *head)
{
	kfree(container_of(head, struct rt_route, rcu));
}

static int find_set(void *data, u64 prefix)
{
	struct rt_route *old = rt_add(prefix, 100), *r;

	if (!old || !rt_add(prefix + 1, 50))
		return -ENOMEM;
	pr_info("routetab: %u\n", rt_best(prefix));
	rt_promote(old);
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (r)
		call_rcu(&r->rcu, rt_free);
	pr_info("routetab: %u\n", rt_best(prefix));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(find_fops, NULL, find_set, "%llu\n");

static int __init routetab_init(void)
{
	rt_dir = debugfs_create_dir("routetab", NULL);
	debugfs_create_file_unsafe("find", 0200, rt_dir, NULL, &find_fops);
	return 0;
}

static void __exit routetab_exit(void)
{
	debugfs_remove_recursive(rt_dir);
}

module_init(routetab_init);
module_exit(routetab_exit);
MODULE_LICENSE("GPL");
