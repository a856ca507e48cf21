// SPDX-License-Identifier: GPL-2.0
/* flowtab: counts packets by flow, in a tree sorted by the flow's key. */
#include <linux/debugfs.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/slab.h>

struct flow {
	u32 key;
	u32 mark;
	struct kref ref;
	struct rb_node node;
	u64 packets;
};

static struct rb_root flows = RB_ROOT;
static DEFINE_SPINLOCK(flows_lock);
static struct dentry *flow_dir;

static void flow_release(struct kref *ref)
{
	struct flow *f = container_of(ref, struct flow, ref);

	kfree(f); /* @origin */
}

static struct flow *flow_find(u32 key)
{
	struct rb_node *n = flows.rb_node;

	while (n) {
		struct flow *f = rb_entry(n, struct flow, node);

		if (key < f->key) /* @fault */
			n = n->rb_left;
		else if (key > f->key)
			n = n->rb_right;
		else
			return f;
	}
	return NULL;
}

static int flow_insert(u32 key)
{
	struct rb_node **link = &flows.rb_node, *parent = NULL;
	struct flow *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->key = key;
	kref_init(&f->ref);
	while (*link) {
		parent = *link;
		if (key < rb_entry(parent, struct flow, node)->key)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&f->node, parent, link);
	rb_insert_color(&f->node, &flows);
	return 0;
}

static int flow_expire(void *data, u64 key)
{
	struct flow *f;

	spin_lock(&flows_lock);
	f = flow_find(key);
	if (f)
		kref_put(&f->ref, flow_release);
	spin_unlock(&flows_lock);
	return f ? 0 : -ENOENT;
}
DEFINE_DEBUGFS_ATTRIBUTE(expire_fops, NULL, flow_expire, "%llu\n");

static int flow_hit(void *data, u64 key)
{
	struct flow *f;

	spin_lock(&flows_lock);
	f = flow_find(key);
	if (f)
		f->packets++;
	spin_unlock(&flows_lock);
	return f ? 0 : -ENOENT;
}
DEFINE_DEBUGFS_ATTRIBUTE(hit_fops, NULL, flow_hit, "%llu\n");

static int __init flowtab_init(void)
{
	static const u32 keys[] = { 40, 20, 60, 10, 30, 50, 70 };
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(keys) && !ret; i++)
		ret = flow_insert(keys[i]);
	flow_dir = debugfs_create_dir("flowtab", NULL);
	debugfs_create_file_unsafe("expire", 0200, flow_dir, NULL, &expire_fops);
	debugfs_create_file_unsafe("hit", 0200, flow_dir, NULL, &hit_fops);
	return ret;
}

static void __exit flowtab_exit(void)
{
	debugfs_remove_recursive(flow_dir);
}

module_init(flowtab_init);
module_exit(flowtab_exit);
MODULE_LICENSE("GPL");
