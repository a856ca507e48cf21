// SPDX-License-Identifier: GPL-2.0
/* tokring: drains a ring of tokens in bursts. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct tr_ring {
	u32 head, tail;
	u32 mask;
	u32 burst;
	u32 *token;
};

static struct tr_ring *ring;
static struct dentry *tr_dir;

static u64 tr_drain(struct tr_ring *r)
{
	u64 sum = 0;

	while (r->head != r->tail) {
		sum += r->token[r->head & r->mask];
		r->head += r->burst;
	}
	return sum;
}

static int burst_set(void *data, u64 burst)
{
	struct tr_ring *r = data;

	if (!burst || burst > r->mask)
		return -EINVAL;
	r->burst = burst; /* @origin */
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(burst_fops, NULL, burst_set, "%llu\n");

static int drain_set(void *data, u64 tail)
{
	struct tr_ring *r = data;

	r->tail = tail;
	pr_info("tokring: %llu\n", tr_drain(r));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(drain_fops, NULL, drain_set, "%llu\n");

static int __init tokring_init(void)
{
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	ring->mask = 63;
	ring->burst = 1;
	ring->token = kcalloc(64, sizeof(u32), GFP_KERNEL);
	if (!ring->token)
		return -ENOMEM;
	tr_dir = debugfs_create_dir("tokring", NULL);
	debugfs_create_file_unsafe("burst", 0200, tr_dir, ring, &burst_fops);
	debugfs_create_file_unsafe("drain", 0200, tr_dir, ring, &drain_fops);
	return 0;
}

static void __exit tokring_exit(void)
{
	debugfs_remove_recursive(tr_dir);
}

module_init(tokring_init);
module_exit(tokring_exit);
MODULE_LICENSE("GPL");
