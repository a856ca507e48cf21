// SPDX-License-Identifier: GPL-2.0
/* pollwait: polls a device until it is ready. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/processor.h>
#include <linux/slab.h>

struct pw_device {
	u32 status;
	u64 polls;
};

static struct pw_device *pw_dev;
static struct dentry *pw_dir;

static noinline void pw_wait(struct pw_device *dev, u32 bit)
{
	preempt_disable();
	while (!(READ_ONCE(dev->status) & bit)) {
		dev->polls++;
		cpu_relax();
	}
	preempt_enable();
}

static int pw_set(void *data, u64 bit)
{
	pw_wait(data, bit);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pw_fops, NULL, pw_set, "%llu\n");

static int __init pw_init(void)
{
	pw_dev = kzalloc(sizeof(*pw_dev), GFP_KERNEL);
	if (!pw_dev)
		return -ENOMEM;
	pw_dev->status = 1;
	pw_dir = debugfs_create_dir("pollwait", NULL);
	debugfs_create_file_unsafe("wait", 0200, pw_dir, pw_dev, &pw_fops);
	return 0;
}

static void __exit pw_exit(void)
{
	debugfs_remove_recursive(pw_dir);
	kfree(pw_dev);
}

module_init(pw_init);
module_exit(pw_exit);
MODULE_LICENSE("GPL");
