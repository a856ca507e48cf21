// SPDX-License-Identifier: GPL-2.0
/* vendortag: keeps asset tags that are written by the factory's tools. */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#define VT_TAGS 48

struct vt_tag {
	char text[120];
	u32 serial;
	u32 flags;
};

static struct vt_tag *tags[VT_TAGS];
static struct kobject *vt_kobj;

static void vt_fill(struct vt_tag *tag, const char *text, size_t len)
{
	char *to = tag->text;
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = text[i]; /* @origin */
	to[len] = 0;
	tag->flags |= 1;
}

static ssize_t tag_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf, size_t len)
{
	int i;

	for (i = 0; i < VT_TAGS; i++) {
		tags[i] = kzalloc(sizeof(*tags[i]), GFP_KERNEL);
		if (!tags[i])
			return -ENOMEM;
		vt_fill(tags[i], buf, len);
		tags[i]->serial = i;
	}
	return len;
}
static struct kobj_attribute tag_attr = __ATTR_WO(tag);

static int __init vendortag_init(void)
{
	vt_kobj = kobject_create_and_add("vendortag", kernel_kobj);
	if (!vt_kobj)
		return -ENOMEM;
	return sysfs_create_file(vt_kobj, &tag_attr.attr);
}

module_init(vendortag_init);
MODULE_LICENSE("GPL");
