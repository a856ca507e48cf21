// SPDX-License-Identifier: GPL-2.0
/* treewalk: measures the depth of a tree of directories. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct tw_dir {
	char name[16];
	struct tw_dir *child;
	u32 entries;
};

static struct tw_dir *tw_root;
static struct dentry *tw_dbg;

static noinline u32 tw_count(struct tw_dir *dir, const char *prefix)
{
	char path[96];
	u32 below = 0;

	strscpy(path, prefix, sizeof(path));
	strlcat(path, dir->name, sizeof(path));
	if (dir->child)
		below = tw_count(dir->child, path);
	return below + dir->entries + path[0];
}

static int tw_set(void *data, u64 loop)
{
	if (loop)
		tw_root->child->child = tw_root; /* @origin */
	pr_info("treewalk: %u\n", tw_count(tw_root, "/"));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tw_fops, NULL, tw_set, "%llu\n");

static int __init tw_init(void)
{
	tw_root = kzalloc(sizeof(*tw_root), GFP_KERNEL);
	if (!tw_root)
		return -ENOMEM;
	tw_root->child = kzalloc(sizeof(*tw_root), GFP_KERNEL);
	if (!tw_root->child)
		return -ENOMEM;
	strscpy(tw_root->child->name, "sub", sizeof(tw_root->name));
	tw_dbg = debugfs_create_dir("treewalk", NULL);
	debugfs_create_file_unsafe("count", 0200, tw_dbg, NULL, &tw_fops);
	return 0;
}

static void __exit tw_exit(void)
{
	debugfs_remove_recursive(tw_dbg);
}

module_init(tw_init);
module_exit(tw_exit);
MODULE_LICENSE("GPL");
