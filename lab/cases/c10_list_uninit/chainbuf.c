// SPDX-License-Identifier: GPL-2.0
/* chainbuf: groups of buffers, each group a list. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

struct cb_buffer {
	u64 dma;
	u32 length;
	u32 weight;
	struct list_head node;
};

struct cb_group {
	unsigned int id;
	bool live;
	struct list_head buffers;
};

static struct cb_group *cb_groups[4];
static struct dentry *cb_dir;

static struct cb_group *cb_group_new(unsigned int id)
{
	struct cb_group *group = kzalloc(sizeof(*group), GFP_KERNEL); /* @origin */

	if (!group)
		return NULL;
	group->id = id;
	if (id != 2) {
		INIT_LIST_HEAD(&group->buffers);
		group->live = true;
	}
	return group;
}

static noinline u64 cb_weigh(struct cb_group *group)
{
	struct cb_buffer *buf;
	u64 sum = 0;

	list_for_each_entry(buf, &group->buffers, node) /* @fault */
		sum += buf->weight;
	return sum;
}

static int cb_set(void *data, u64 id)
{
	if (!cb_groups[id & 3])
		return -ENOENT;
	pr_info("chainbuf: group %llu weighs %llu\n", id, cb_weigh(cb_groups[id & 3]));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cb_fops, NULL, cb_set, "%llu\n");

static int __init cb_init(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		cb_groups[i] = cb_group_new(i);
	cb_dir = debugfs_create_dir("chainbuf", NULL);
	debugfs_create_file_unsafe("weigh", 0200, cb_dir, NULL, &cb_fops);
	return 0;
}

static void __exit cb_exit(void)
{
	debugfs_remove_recursive(cb_dir);
}

module_init(cb_init);
module_exit(cb_exit);
MODULE_LICENSE("GPL");
