// SPDX-License-Identifier: GPL-2.0
/* hostcfg: names of hosts, one record each. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

struct host_entry {
	u32 addr;
	char name[16];
	char domain[32];
};

static struct host_entry *self;

static void host_rename(struct host_entry *h, const char *fqdn)
{
	char *full = kstrdup(fqdn, GFP_KERNEL), *rest = full, *host;

	if (!full)
		return;
	host = strsep(&rest, ".");
	strcpy(h->name, host); /* @call */
	if (rest)
		strscpy(h->domain, strim(rest), sizeof(h->domain));
	kfree(full);
}

static ssize_t fqdn_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s.%s\n", self->name, self->domain);
}

static ssize_t fqdn_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t count)
{
	host_rename(self, buf);
	return count;
}
static struct kobj_attribute fqdn_attr = __ATTR_RW(fqdn);

static struct kobject *kobj;

static int __init hostcfg_init(void)
{
	self = kzalloc(sizeof(*self), GFP_KERNEL);
	kobj = kobject_create_and_add("hostcfg", kernel_kobj);
	if (!self || !kobj)
		return -ENOMEM;
	return sysfs_create_file(kobj, &fqdn_attr.attr);
}

static void __exit hostcfg_exit(void)
{
	kobject_put(kobj);
	kfree(self);
}

module_init(hostcfg_init);
module_exit(hostcfg_exit);
MODULE_LICENSE("GPL");
