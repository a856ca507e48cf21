// SPDX-License-Identifier: GPL-2.0
/* balancer: spreads requests over the backends that are up. */
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/jhash.h>
#include <linux/module.h>
#include <linux/slab.h>

#define BL_MAX 16

struct bl_backend {
	u32 weight;
	u64 served;
};

struct bl_group {
	DECLARE_BITMAP(up, BL_MAX);
	struct bl_backend backend[BL_MAX];
	u32 total_weight;
	u32 last_ticket;
};

static struct bl_group group;
static struct dentry *bl_dir;

static struct bl_backend *bl_pick(struct bl_group *g, u32 client)
{
	u32 ticket = jhash_1word(client, 0x5eed) % g->total_weight; /* @fault */
	int i;

	g->last_ticket = ticket;
	for_each_set_bit(i, g->up, BL_MAX) {
		if (ticket < g->backend[i].weight)
			return &g->backend[i];
		ticket -= g->backend[i].weight;
	}
	return NULL;
}

static void bl_down(struct bl_group *g, unsigned int nr)
{
	if (!__test_and_clear_bit(nr % BL_MAX, g->up))
		return;
	g->total_weight -= g->backend[nr % BL_MAX].weight; /* @origin */
}

static int down_set(void *data, u64 nr)
{
	bl_down(data, nr);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(down_fops, NULL, down_set, "%llu\n");

static int request_set(void *data, u64 client)
{
	struct bl_backend *b = bl_pick(data, client);

	if (!b)
		return -EHOSTDOWN;
	b->served++;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(request_fops, NULL, request_set, "%llu\n");

static int __init balancer_init(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		group.backend[i].weight = 10 * (i + 1);
		group.total_weight += group.backend[i].weight;
		__set_bit(i, group.up);
	}
	bl_dir = debugfs_create_dir("balancer", NULL);
	debugfs_create_file_unsafe("down", 0200, bl_dir, &group, &down_fops);
	debugfs_create_file_unsafe("request", 0200, bl_dir, &group, &request_fops);
	return 0;
}

static void __exit balancer_exit(void)
{
	debugfs_remove_recursive(bl_dir);
}

module_init(balancer_init);
module_exit(balancer_exit);
MODULE_LICENSE("GPL");
