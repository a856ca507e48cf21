// SPDX-License-Identifier: GPL-2.0
/* powcap: limits of a power domain; the hard limits are set once, at init. */
#include <linux/cache.h>
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/sysfs.h>

struct pc_limits {
	u32 soft_mw;
	u32 hard_mw;
	u32 window_ms;
};

static struct pc_limits limits __ro_after_init;
static struct pc_limits *domain = &limits;
static struct kobject *pc_kobj;

static void pc_apply(struct pc_limits *l, u32 mw)
{
	l->soft_mw = min(mw, l->hard_mw); /* @fault */
}

static ssize_t soft_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", domain->soft_mw);
}

static ssize_t soft_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t n)
{
	u32 mw;
	int ret = kstrtou32(buf, 0, &mw);

	if (ret)
		return ret;
	pc_apply(domain, mw);
	return n;
}
static struct kobj_attribute soft_attr = __ATTR_RW(soft);

static int __init powcap_init(void)
{
	limits.hard_mw = 95000;
	limits.soft_mw = 65000;
	pc_kobj = kobject_create_and_add("powcap_demo", kernel_kobj);
	return pc_kobj ? sysfs_create_file(pc_kobj, &soft_attr.attr) : -ENOMEM;
}

static void __exit powcap_exit(void)
{
	kobject_put(pc_kobj);
}

module_init(powcap_init);
module_exit(powcap_exit);
MODULE_LICENSE("GPL");
