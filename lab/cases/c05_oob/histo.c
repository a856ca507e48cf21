// SPDX-License-Identifier: GPL-2.0
/* histo: a histogram of request latencies. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#define HISTO_BUCKETS 64

struct histo {
	u64 total;
	u32 width;
	u32 bucket[HISTO_BUCKETS];
};

static struct histo *histo_io;
static struct dentry *histo_dir;

static noinline void histo_add(struct histo *h, u64 usecs)
{
	u64 slot = usecs / h->width;

	h->total += usecs;
	h->bucket[slot]++; /* @fault */
}

static int histo_set(void *data, u64 usecs)
{
	histo_add(data, usecs); /* @origin */
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(histo_fops, NULL, histo_set, "%llu\n");

static int __init histo_init(void)
{
	histo_io = kzalloc(sizeof(*histo_io), GFP_KERNEL);
	if (!histo_io)
		return -ENOMEM;
	histo_io->width = 16;
	histo_dir = debugfs_create_dir("histo", NULL);
	debugfs_create_file_unsafe("add", 0200, histo_dir, histo_io, &histo_fops);
	return 0;
}

static void __exit histo_exit(void)
{
	debugfs_remove_recursive(histo_dir);
	kfree(histo_io);
}

module_init(histo_init);
module_exit(histo_exit);
MODULE_LICENSE("GPL");
