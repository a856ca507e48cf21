// SPDX-License-Identifier: GPL-2.0
/* statpage: clients add to a page of counters, by percpu batches. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>

struct sp_page {
	u64 events;
	u64 bytes;
	u64 batches;
	u32 owner;
};

struct sp_batch {
	struct sp_page *page;
	u32 pending;
};

static DEFINE_PER_CPU(struct sp_batch, sp_batches);
static struct dentry *sp_dir;

static void sp_flush(void)
{
	struct sp_batch *b = get_cpu_ptr(&sp_batches);

	if (b->page) {
		b->page->batches++; /* @origin */
		b->page->events += b->pending;
	}
	b->pending = 0;
	put_cpu_ptr(&sp_batches);
}

static struct sp_page *sp_attach(u32 owner)
{
	struct sp_page *page = kzalloc(sizeof(*page), GFP_KERNEL);
	int cpu;

	if (!page)
		return NULL;
	page->owner = owner;
	for_each_possible_cpu(cpu)
		per_cpu_ptr(&sp_batches, cpu)->page = page;
	return page;
}

static int cycle_set(void *data, u64 owner)
{
	struct sp_page *page = sp_attach(owner);
	int i;

	if (!page)
		return -ENOMEM;
	this_cpu_add(sp_batches.pending, 17);
	kfree(page);
	sp_flush();
	/* whoever gets the object next finds out */
	for (i = 0; i < 64; i++) {
		struct sp_page *other = sp_attach(i);

		if (!other)
			break;
	}
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cycle_fops, NULL, cycle_set, "%llu\n");

static int __init statpage_init(void)
{
	sp_dir = debugfs_create_dir("statpage", NULL);
	debugfs_create_file_unsafe("cycle", 0200, sp_dir, NULL, &cycle_fops);
	return 0;
}

static void __exit statpage_exit(void)
{
	debugfs_remove_recursive(sp_dir);
}

module_init(statpage_init);
module_exit(statpage_exit);
MODULE_LICENSE("GPL");
