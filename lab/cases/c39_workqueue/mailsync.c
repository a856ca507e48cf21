// SPDX-License-Identifier: GPL-2.0
/* mailsync: flushes mailboxes from a work queue. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

struct ms_store {
	u64 size;
	u32 dirty;
};

struct ms_box {
	u32 id;
	struct ms_store *store;
	struct delayed_work flush;
};

static struct ms_box *ms_box;
static struct dentry *ms_dir;

static void ms_flush(struct work_struct *work)
{
	struct ms_box *box = container_of(to_delayed_work(work), struct ms_box, flush);

	box->store->dirty = 0; /* @fault */
}

static noinline void ms_close(struct ms_box *box)
{
	kfree(box->store);
	box->store = NULL; /* @origin */
}

static int ms_set(void *data, u64 msecs)
{
	struct ms_box *box = data;

	schedule_delayed_work(&box->flush, msecs_to_jiffies(msecs));
	/* The work should be cancelled first. */
	ms_close(box);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ms_fops, NULL, ms_set, "%llu\n");

static int __init ms_init(void)
{
	ms_box = kzalloc(sizeof(*ms_box), GFP_KERNEL);
	if (!ms_box)
		return -ENOMEM;
	ms_box->store = kzalloc(sizeof(*ms_box->store), GFP_KERNEL);
	INIT_DELAYED_WORK(&ms_box->flush, ms_flush);
	ms_dir = debugfs_create_dir("mailsync", NULL);
	debugfs_create_file_unsafe("close", 0200, ms_dir, ms_box, &ms_fops);
	return 0;
}

static void __exit ms_exit(void)
{
	debugfs_remove_recursive(ms_dir);
	cancel_delayed_work_sync(&ms_box->flush);
}

module_init(ms_init);
module_exit(ms_exit);
MODULE_LICENSE("GPL");
