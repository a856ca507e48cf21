// SPDX-License-Identifier: GPL-2.0
/* keytab: looks up keys by their alias. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct kt_key {
	u32 serial;
	const char *alias;
	u64 expires;
};

static struct kt_key *kt_keys[3];
static struct dentry *kt_dir;

static noinline struct kt_key *kt_find(const char *alias)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kt_keys); i++)
		if (!strcmp(kt_keys[i]->alias, alias)) /* @call */
			return kt_keys[i];
	return NULL;
}

static int kt_set(void *data, u64 value)
{
	struct kt_key *key = kt_find(value ? "backup" : "main");

	return key ? 0 : -ENOENT;
}
DEFINE_DEBUGFS_ATTRIBUTE(kt_fops, NULL, kt_set, "%llu\n");

static int __init kt_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kt_keys); i++) {
		kt_keys[i] = kzalloc(sizeof(*kt_keys[i]), GFP_KERNEL); /* @origin */
		if (!kt_keys[i])
			return -ENOMEM;
		kt_keys[i]->serial = 100 + i;
	}
	kt_keys[0]->alias = "main";
	kt_keys[2]->alias = "backup";
	kt_dir = debugfs_create_dir("keytab", NULL);
	debugfs_create_file_unsafe("find", 0200, kt_dir, NULL, &kt_fops);
	return 0;
}

static void __exit kt_exit(void)
{
	debugfs_remove_recursive(kt_dir);
}

module_init(kt_init);
module_exit(kt_exit);
MODULE_LICENSE("GPL");
