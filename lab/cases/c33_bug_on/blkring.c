// SPDX-License-Identifier: GPL-2.0
/* blkring: a ring of block requests. */
#include <linux/bug.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct br_ring {
	u32 size;
	u32 head;
	u32 tail;
	u32 inflight;
	u64 sectors[16];
};

static struct br_ring *br_main;
static struct dentry *br_dir;

static noinline void br_complete(struct br_ring *ring, u32 count)
{
	ring->tail += count;
	ring->inflight -= count; /* @origin */
}

static noinline void br_submit(struct br_ring *ring, u64 sector)
{
	BUG_ON(ring->inflight > ring->size); /* @fault */
	ring->sectors[ring->head++ % ring->size] = sector;
	ring->inflight++;
}

static int br_set(void *data, u64 sector)
{
	br_submit(data, sector);
	/* Completes one more than was submitted. */
	br_complete(data, 2);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(br_fops, NULL, br_set, "%llu\n");

static int __init br_init(void)
{
	br_main = kzalloc(sizeof(*br_main), GFP_KERNEL);
	if (!br_main)
		return -ENOMEM;
	br_main->size = 16;
	br_dir = debugfs_create_dir("blkring", NULL);
	debugfs_create_file_unsafe("submit", 0200, br_dir, br_main, &br_fops);
	return 0;
}

static void __exit br_exit(void)
{
	debugfs_remove_recursive(br_dir);
	kfree(br_main);
}

module_init(br_init);
module_exit(br_exit);
MODULE_LICENSE("GPL");
