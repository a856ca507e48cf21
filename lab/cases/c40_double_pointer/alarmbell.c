// SPDX-License-Identifier: GPL-2.0
/* alarmbell: rings from a soft timer. */
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

struct ab_tone {
	u16 hertz;
	u16 millis;
};

struct ab_bell {
	u32 rings;
	struct ab_tone **tones;
	struct timer_list timer;
};

static struct ab_tone ab_ding = { 880, 120 };
static struct ab_tone *ab_tones[4] = { &ab_ding, &ab_ding }; /* @origin */
static struct ab_bell *ab_bell;
static struct dentry *ab_dir;

static void ab_ring(struct timer_list *timer)
{
	struct ab_bell *bell = from_timer(bell, timer, timer);
	struct ab_tone **tone = &bell->tones[bell->rings++ & 3];

	mod_timer(&bell->timer, jiffies + (*tone)->millis / 100); /* @fault */
}

static int ab_set(void *data, u64 value)
{
	mod_timer(&ab_bell->timer, jiffies + 1);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ab_fops, NULL, ab_set, "%llu\n");

static int __init ab_init(void)
{
	ab_bell = kzalloc(sizeof(*ab_bell), GFP_KERNEL);
	if (!ab_bell)
		return -ENOMEM;
	ab_bell->tones = ab_tones;
	timer_setup(&ab_bell->timer, ab_ring, 0);
	ab_dir = debugfs_create_dir("alarmbell", NULL);
	debugfs_create_file_unsafe("ring", 0200, ab_dir, NULL, &ab_fops);
	return 0;
}

static void __exit ab_exit(void)
{
	debugfs_remove_recursive(ab_dir);
	del_timer_sync(&ab_bell->timer);
}

module_init(ab_init);
module_exit(ab_exit);
MODULE_LICENSE("GPL");
