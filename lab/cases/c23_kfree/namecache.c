// SPDX-License-Identifier: GPL-2.0
/* namecache: caches names; short ones are kept in place. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct nc_name {
	u32 hash;
	u32 length;
	union {
		char *heap;
		char inlined[8];
	} text;
};

static struct dentry *nc_dir;

static noinline struct nc_name *nc_new(const char *text)
{
	struct nc_name *name = kzalloc(sizeof(*name), GFP_KERNEL);

	if (!name)
		return NULL;
	name->length = strlen(text);
	if (name->length <= sizeof(name->text.inlined))
		memcpy(name->text.inlined, text, name->length); /* @origin */
	else
		name->text.heap = kstrdup(text, GFP_KERNEL);
	return name;
}

static noinline void nc_free(struct nc_name *name)
{
	/* An exactly full inline name is taken for a heap one. */
	if (name->length >= sizeof(name->text.inlined))
		kfree(name->text.heap); /* @call */
	kfree(name);
}

static int nc_set(void *data, u64 value)
{
	struct nc_name *name = nc_new(value > 7 ? "eth0-tx0" : "eth0");

	if (!name)
		return -ENOMEM;
	nc_free(name);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(nc_fops, NULL, nc_set, "%llu\n");

static int __init nc_init(void)
{
	nc_dir = debugfs_create_dir("namecache", NULL);
	debugfs_create_file_unsafe("cycle", 0200, nc_dir, NULL, &nc_fops);
	return 0;
}

static void __exit nc_exit(void)
{
	debugfs_remove_recursive(nc_dir);
}

module_init(nc_init);
module_exit(nc_exit);
MODULE_LICENSE("GPL");
