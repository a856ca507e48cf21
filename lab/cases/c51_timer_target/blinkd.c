// SPDX-License-Identifier: GPL-2.0
/* blinkd: blinks panel lamps; every lamp is driven by its own timer. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

struct lamp_chip {
	u8 port;
	u32 latch;
	void (*commit)(struct lamp_chip *chip);
};

struct lamp {
	struct timer_list timer;
	struct lamp_chip *chip;
	unsigned long period;
	bool on;
};

static struct lamp *lamps[4];
static struct dentry *blink_dir;

static void chip_commit(struct lamp_chip *chip)
{
	chip->latch ^= 1u << chip->port;
}

static void lamp_tick(struct timer_list *t)
{
	struct lamp *lamp = from_timer(lamp, t, timer);

	lamp->on = !lamp->on;
	lamp->chip->commit(lamp->chip); /* @fault */
	mod_timer(&lamp->timer, jiffies + lamp->period);
}

static int lamp_unplug(void *data, u64 nr)
{
	struct lamp *lamp;

	if (nr >= ARRAY_SIZE(lamps))
		return -EINVAL;
	lamp = lamps[nr];
	lamp->period = 0;
	/* the timer stops by itself, it checks the period */
	kfree(lamp->chip); /* @origin */
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(unplug_fops, NULL, lamp_unplug, "%llu\n");

static int __init blinkd_init(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(lamps); i++) {
		struct lamp *lamp = kzalloc(sizeof(*lamp), GFP_KERNEL);

		if (!lamp)
			return -ENOMEM;
		lamp->chip = kzalloc(sizeof(*lamp->chip), GFP_KERNEL);
		if (!lamp->chip)
			return -ENOMEM;
		lamp->chip->port = i;
		lamp->chip->commit = chip_commit;
		lamp->period = HZ / 10;
		timer_setup(&lamp->timer, lamp_tick, 0);
		mod_timer(&lamp->timer, jiffies + HZ / 2);
		lamps[i] = lamp;
	}
	blink_dir = debugfs_create_dir("blinkd", NULL);
	debugfs_create_file_unsafe("unplug", 0200, blink_dir, NULL, &unplug_fops);
	return 0;
}

static void __exit blinkd_exit(void)
{
	debugfs_remove_recursive(blink_dir);
}

module_init(blinkd_init);
module_exit(blinkd_exit);
MODULE_LICENSE("GPL");
