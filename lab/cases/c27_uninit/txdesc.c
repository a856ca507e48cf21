// SPDX-License-Identifier: GPL-2.0
/* txdesc: transmit descriptors with an optional completion. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct td_done {
	u32 status;
	u32 cookie;
	u64 stamp;
};

struct td_desc {
	u32 length;
	u32 flags;
	u64 dma;
	struct td_done *done;
};

static struct dentry *td_dir;

static noinline struct td_desc *td_prepare(u32 length)
{
	struct td_desc *desc = kmalloc(sizeof(*desc), GFP_KERNEL); /* @origin */

	if (!desc)
		return NULL;
	desc->length = length;
	desc->flags = 0;
	desc->dma = 0;
	return desc;
}

static noinline void td_complete(struct td_desc *desc, u32 status)
{
	if (desc->done)
		desc->done->status = status; /* @fault */
}

static int td_set(void *data, u64 length)
{
	struct td_desc *desc = td_prepare(length);

	if (!desc)
		return -ENOMEM;
	td_complete(desc, 1);
	kfree(desc);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(td_fops, NULL, td_set, "%llu\n");

static int __init td_init(void)
{
	td_dir = debugfs_create_dir("txdesc", NULL);
	debugfs_create_file_unsafe("send", 0200, td_dir, NULL, &td_fops);
	return 0;
}

static void __exit td_exit(void)
{
	debugfs_remove_recursive(td_dir);
}

module_init(td_init);
module_exit(td_exit);
MODULE_LICENSE("GPL");
