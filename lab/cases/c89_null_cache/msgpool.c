// SPDX-License-Identifier: GPL-2.0
/* msgpool: messages come from a cache of their own. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

struct mp_msg {
	struct list_head node;
	u32 type;
	u8 payload[180];
};

static struct kmem_cache *mp_cache;
static LIST_HEAD(mp_queue);
static struct dentry *mp_dir;
static bool dedicated;
module_param(dedicated, bool, 0444);

static int mp_post(u32 type)
{
	struct mp_msg *msg = kmem_cache_zalloc(mp_cache, GFP_KERNEL); /* @call */ /* @origin */

	if (!msg)
		return -ENOMEM;
	msg->type = type;
	list_add_tail(&msg->node, &mp_queue);
	return 0;
}

static int post_set(void *data, u64 type)
{
	return mp_post(type);
}
DEFINE_DEBUGFS_ATTRIBUTE(post_fops, NULL, post_set, "%llu\n");

static int __init msgpool_init(void)
{
	if (dedicated) {
		mp_cache = KMEM_CACHE(mp_msg, SLAB_HWCACHE_ALIGN);
		if (!mp_cache)
			return -ENOMEM;
	}
	mp_dir = debugfs_create_dir("msgpool", NULL);
	debugfs_create_file_unsafe("post", 0200, mp_dir, NULL, &post_fops);
	return 0;
}

static void __exit msgpool_exit(void)
{
	debugfs_remove_recursive(mp_dir);
}

module_init(msgpool_init);
module_exit(msgpool_exit);
MODULE_LICENSE("GPL");
