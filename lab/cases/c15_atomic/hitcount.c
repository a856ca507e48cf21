// SPDX-License-Identifier: GPL-2.0
/* hitcount: counts hits for each named endpoint. */
#include <linux/atomic.h>
#include <linux/debugfs.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

struct hc_endpoint {
	struct hlist_node node;
	u32 key;
	u32 flags;
	atomic_t hits;
};

static DEFINE_HASHTABLE(hc_table, 4);
static struct dentry *hc_dir;

static struct hc_endpoint *hc_find(u32 key)
{
	struct hc_endpoint *ep;

	hash_for_each_possible(hc_table, ep, node, key)
		if (ep->key == key)
			return ep;
	return NULL; /* @origin */
}

static noinline void hc_hit(struct hc_endpoint *ep)
{
	atomic_inc(&ep->hits); /* @fault */
}

static int hc_set(void *data, u64 key)
{
	hc_hit(hc_find(key));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(hc_fops, NULL, hc_set, "%llu\n");

static int __init hc_init(void)
{
	u32 key;

	for (key = 1; key < 5; key++) {
		struct hc_endpoint *ep = kzalloc(sizeof(*ep), GFP_KERNEL);

		if (!ep)
			return -ENOMEM;
		ep->key = key;
		hash_add(hc_table, &ep->node, key);
	}
	hc_dir = debugfs_create_dir("hitcount", NULL);
	debugfs_create_file_unsafe("hit", 0200, hc_dir, NULL, &hc_fops);
	return 0;
}

static void __exit hc_exit(void)
{
	debugfs_remove_recursive(hc_dir);
}

module_init(hc_init);
module_exit(hc_exit);
MODULE_LICENSE("GPL");
