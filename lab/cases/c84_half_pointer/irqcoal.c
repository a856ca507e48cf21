// SPDX-License-Identifier: GPL-2.0
/* irqcoal: coalescing of interrupts, set from sysfs. */
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

struct ic_hw {
	u32 version;
	u32 max_usecs;
};

struct ic_ring {
	u16 id;
	u16 budget;
	u32 usecs;
	struct ic_hw *hw;
	u64 events;
};

static struct ic_ring *ring;

static int ic_commit(struct ic_ring *r)
{
	if (r->usecs > r->hw->max_usecs) /* @fault */
		r->usecs = r->hw->max_usecs;
	r->events++;
	return 0;
}

static ssize_t usecs_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t n)
{
	int ret = kstrtoul(buf, 0, (unsigned long *)&ring->usecs); /* @origin */

	if (!ret)
		ret = ic_commit(ring);
	return ret ?: n;
}

static ssize_t usecs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", ring->usecs);
}
static DEVICE_ATTR_RW(usecs);

static struct attribute *ic_attrs[] = { &dev_attr_usecs.attr, NULL };
ATTRIBUTE_GROUPS(ic);

static const struct file_operations ic_fops = { .owner = THIS_MODULE };
static struct miscdevice ic_misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "irqcoal", .fops = &ic_fops, .groups = ic_groups,
};

static int __init irqcoal_init(void)
{
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	ring->hw = kzalloc(sizeof(*ring->hw), GFP_KERNEL);
	if (!ring->hw)
		return -ENOMEM;
	ring->hw->max_usecs = 500;
	return misc_register(&ic_misc);
}

static void __exit irqcoal_exit(void)
{
	misc_deregister(&ic_misc);
	kfree(ring);
}

module_init(irqcoal_init);
module_exit(irqcoal_exit);
MODULE_LICENSE("GPL");
