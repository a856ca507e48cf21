// SPDX-License-Identifier: GPL-2.0
/* vregul: a voltage regulator that counts who has it enabled. */
#include <linux/bug.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>

struct vr_supply {
	const char *name;
	int enabled;
	int microvolts;
	struct mutex lock;
};

static struct vr_supply vr_core = { .name = "core", .microvolts = 900000 };
static struct dentry *vr_dir;

static noinline int vr_disable(struct vr_supply *supply)
{
	int ret = 0;

	mutex_lock(&supply->lock);
	if (WARN_ON(supply->enabled <= 0)) /* @fault */
		ret = -EIO;
	else
		supply->enabled--;
	mutex_unlock(&supply->lock);
	return ret;
}

static int vr_set(void *data, u64 on)
{
	struct vr_supply *supply = data;

	if (!on)
		return vr_disable(supply);
	mutex_lock(&supply->lock);
	supply->enabled++;
	mutex_unlock(&supply->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(vr_fops, NULL, vr_set, "%llu\n");

static int __init vr_init(void)
{
	mutex_init(&vr_core.lock);
	vr_dir = debugfs_create_dir("vregul", NULL);
	debugfs_create_file_unsafe("enable", 0200, vr_dir, &vr_core, &vr_fops);
	return 0;
}

static void __exit vr_exit(void)
{
	debugfs_remove_recursive(vr_dir);
}

module_init(vr_init);
module_exit(vr_exit);
MODULE_LICENSE("GPL");
