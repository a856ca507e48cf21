// SPDX-License-Identifier: GPL-2.0
/* dmamap: pins the pages of a buffer for a device. */
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

struct dm_buffer {
	void *data;
	size_t size;
	unsigned int nr_pages;
	struct page *page[8];
};

static struct dentry *dm_dir;

static int dm_pin(struct dm_buffer *b)
{
	unsigned int i;

	for (i = 0; i < b->nr_pages; i++) {
		b->page[i] = virt_to_page(b->data + i * PAGE_SIZE); /* @origin */
		SetPageDirty(b->page[i]); /* @call */
	}
	return 0;
}

static struct dm_buffer *dm_alloc(size_t size)
{
	struct dm_buffer *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!b)
		return NULL;
	b->size = PAGE_ALIGN(size);
	b->nr_pages = min_t(size_t, b->size >> PAGE_SHIFT, ARRAY_SIZE(b->page));
	b->data = b->nr_pages > 2 ? vmalloc(b->size) : kmalloc(b->size, GFP_KERNEL);
	return b->data ? b : NULL;
}

static int map_set(void *data, u64 size)
{
	struct dm_buffer *b = dm_alloc(size);

	return b ? dm_pin(b) : -ENOMEM;
}
DEFINE_DEBUGFS_ATTRIBUTE(map_fops, NULL, map_set, "%llu\n");

static int __init dmamap_init(void)
{
	dm_dir = debugfs_create_dir("dmamap", NULL);
	debugfs_create_file_unsafe("map", 0200, dm_dir, NULL, &map_fops);
	return 0;
}

static void __exit dmamap_exit(void)
{
	debugfs_remove_recursive(dm_dir);
}

module_init(dmamap_init);
module_exit(dmamap_exit);
MODULE_LICENSE("GPL");
