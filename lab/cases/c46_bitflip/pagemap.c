// SPDX-License-Identifier: GPL-2.0
/* pagemap: maps pages to owners; flags are kept in a pointer's spare bits. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#define PM_PINNED (1UL << 44)

struct pm_owner {
	u32 id;
	u32 pages;
};

struct pm_entry {
	u64 pfn;
	struct pm_owner *owner;
};

static struct pm_entry *pm_entry;
static struct dentry *pm_dir;

static noinline void pm_pin(struct pm_entry *entry)
{
	entry->owner = (struct pm_owner *)((unsigned long)entry->owner ^ PM_PINNED); /* @origin */
}

static noinline u32 pm_pages(struct pm_entry *entry)
{
	return entry->owner->pages; /* @fault */
}

static int pm_set(void *data, u64 pin)
{
	if (pin)
		pm_pin(data);
	pr_info("pagemap: %u\n", pm_pages(data));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pm_fops, NULL, pm_set, "%llu\n");

static int __init pm_init(void)
{
	pm_entry = kzalloc(sizeof(*pm_entry), GFP_KERNEL);
	if (!pm_entry)
		return -ENOMEM;
	pm_entry->owner = kzalloc(sizeof(*pm_entry->owner), GFP_KERNEL);
	pm_dir = debugfs_create_dir("pagemap", NULL);
	debugfs_create_file_unsafe("pin", 0200, pm_dir, pm_entry, &pm_fops);
	return 0;
}

static void __exit pm_exit(void)
{
	debugfs_remove_recursive(pm_dir);
}

module_init(pm_init);
module_exit(pm_exit);
MODULE_LICENSE("GPL");
