// SPDX-License-Identifier: GPL-2.0
/* linkmon: notes link changes of interfaces in a bitmap each. */
#include <linux/bitops.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#define LM_LINKS 6

struct lm_link {
	char name[16];
	u64 changes;
	unsigned long events;
};

struct lm_set {
	u32 count;
	struct lm_link *link[LM_LINKS];
};

static struct lm_set *lm_set;
static struct dentry *lm_dir;

static noinline void lm_note(struct lm_set *set, u32 index, unsigned int event)
{
	set_bit(event, &set->link[index]->events); /* @fault */
}

static int lm_write(void *data, u64 value)
{
	if ((value >> 8) >= LM_LINKS)
		return -EINVAL;
	lm_note(data, value >> 8, value & 31);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(lm_fops, NULL, lm_write, "%llx\n");

static int __init lm_init(void)
{
	u32 i;

	lm_set = kzalloc(sizeof(*lm_set), GFP_KERNEL); /* @origin */
	if (!lm_set)
		return -ENOMEM;
	/* Every second place is kept for later. */
	for (i = 0; i < LM_LINKS; i += 2)
		lm_set->link[i] = kzalloc(sizeof(struct lm_link), GFP_KERNEL);
	lm_dir = debugfs_create_dir("linkmon", NULL);
	debugfs_create_file_unsafe("event", 0200, lm_dir, lm_set, &lm_fops);
	return 0;
}

static void __exit lm_exit(void)
{
	debugfs_remove_recursive(lm_dir);
}

module_init(lm_init);
module_exit(lm_exit);
MODULE_LICENSE("GPL");
