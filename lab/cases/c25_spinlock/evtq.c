// SPDX-License-Identifier: GPL-2.0
/* evtq: event queues of clients. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

struct eq_client {
	u32 id;
	u32 pending;
	u64 dropped;
	spinlock_t lock;
};

static struct eq_client *eq_clients[4];
static struct dentry *eq_dir;

static noinline void eq_post(struct eq_client *client, u32 events)
{
	unsigned long flags;

	spin_lock_irqsave(&client->lock, flags); /* @call */
	client->pending += events;
	spin_unlock_irqrestore(&client->lock, flags);
}

static int eq_set(void *data, u64 value)
{
	eq_post(eq_clients[value & 3], value >> 2);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(eq_fops, NULL, eq_set, "%llu\n");

static int __init eq_init(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		eq_clients[i] = kzalloc(sizeof(*eq_clients[i]), GFP_KERNEL);
		if (!eq_clients[i])
			return -ENOMEM;
		spin_lock_init(&eq_clients[i]->lock);
	}
	eq_dir = debugfs_create_dir("evtq", NULL);
	debugfs_create_file_unsafe("post", 0200, eq_dir, NULL, &eq_fops);
	return 0;
}

static void __exit eq_exit(void)
{
	debugfs_remove_recursive(eq_dir);
}

module_init(eq_init);
module_exit(eq_exit);
MODULE_LICENSE("GPL");
