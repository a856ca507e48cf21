// SPDX-License-Identifier: GPL-2.0
/* sessref: reference-counted sessions, each charged to its owner. */
#include <linux/debugfs.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/slab.h>

struct sr_owner {
	char name[32];
	u32 quota;
	u32 used;
};

struct sr_session {
	u64 id;
	struct sr_owner *owner;
	struct kref ref;
	unsigned long flags;
};

static struct sr_owner sr_root = { .name = "root", .quota = 8 };
static struct dentry *sr_dir;

static struct sr_session *sr_open(u64 id, struct sr_owner *owner)
{
	struct sr_session *sess = kzalloc(sizeof(*sess), GFP_KERNEL);

	if (!sess)
		return NULL;
	kref_init(&sess->ref);
	sess->id = id;
	sess->owner = owner; /* @origin */
	if (owner)
		owner->used++;
	return sess;
}

static noinline void sr_release(struct kref *ref)
{
	struct sr_session *sess = container_of(ref, struct sr_session, ref);

	sess->owner->used--; /* @fault */
	kfree(sess);
}

static int sr_set(void *data, u64 id)
{
	struct sr_session *sess = sr_open(id, id < 100 ? &sr_root : NULL);

	if (!sess)
		return -ENOMEM;
	kref_put(&sess->ref, sr_release);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sr_fops, NULL, sr_set, "%llu\n");

static int __init sr_init(void)
{
	sr_dir = debugfs_create_dir("sessref", NULL);
	debugfs_create_file_unsafe("cycle", 0200, sr_dir, NULL, &sr_fops);
	return 0;
}

static void __exit sr_exit(void)
{
	debugfs_remove_recursive(sr_dir);
}

module_init(sr_init);
module_exit(sr_exit);
MODULE_LICENSE("GPL");
