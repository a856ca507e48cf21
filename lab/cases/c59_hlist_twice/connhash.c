// SPDX-License-Identifier: GPL-2.0
/* connhash: connections hashed by port. */
#include <linux/debugfs.h>
#include <linux/hash.h>
#include <linux/hashtable.h>
#include <linux/module.h>
#include <linux/slab.h>

enum ch_state { CH_OPEN, CH_HALF, CH_CLOSED };

struct ch_conn {
	u16 port;
	enum ch_state state;
	struct hlist_node hash;
	struct list_head lru;
};

static DEFINE_HASHTABLE(conns, 4);
static LIST_HEAD(ch_lru);
static DEFINE_SPINLOCK(ch_lock);
static struct dentry *ch_dir;

static void conn_unhash(struct ch_conn *c)
{
	hlist_del(&c->hash); /* @call */ /* @origin */
}

static struct ch_conn *conn_lookup(u16 port)
{
	struct ch_conn *c;

	list_for_each_entry(c, &ch_lru, lru)
		if (c->port == port)
			return c;
	return NULL;
}

/* A FIN of either side. */
static void conn_fin(struct ch_conn *c)
{
	switch (c->state) {
	case CH_OPEN:
		c->state = CH_HALF;
		conn_unhash(c);
		break;
	case CH_HALF:
		c->state = CH_CLOSED;
		conn_unhash(c);
		list_del(&c->lru);
		kfree(c);
		break;
	default:
		break;
	}
}

static int fin_set(void *data, u64 port)
{
	struct ch_conn *c;

	spin_lock(&ch_lock);
	c = conn_lookup(port);
	if (c)
		conn_fin(c);
	spin_unlock(&ch_lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(fin_fops, NULL, fin_set, "%llu\n");

static int syn_set(void *data, u64 port)
{
	struct ch_conn *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return -ENOMEM;
	c->port = port;
	spin_lock(&ch_lock);
	hash_add(conns, &c->hash, c->port);
	list_add(&c->lru, &ch_lru);
	spin_unlock(&ch_lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(syn_fops, NULL, syn_set, "%llu\n");

static int __init connhash_init(void)
{
	ch_dir = debugfs_create_dir("connhash", NULL);
	debugfs_create_file_unsafe("syn", 0200, ch_dir, NULL, &syn_fops);
	debugfs_create_file_unsafe("fin", 0200, ch_dir, NULL, &fin_fops);
	return 0;
}

static void __exit connhash_exit(void)
{
	debugfs_remove_recursive(ch_dir);
}

module_init(connhash_init);
module_exit(connhash_exit);
MODULE_LICENSE("GPL");
