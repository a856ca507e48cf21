// SPDX-License-Identifier: GPL-2.0
/* fanctl: sets fan speeds from the temperature of the zone a fan cools. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct fc_sensor {
	char label[20];
	int channel;
	s32 milli;
	u64 samples;
};

struct fc_zone {
	struct list_head node;
	unsigned int id;
	struct fc_sensor *sensor;
	s32 trip;
};

struct fc_fan {
	struct list_head node;
	unsigned int id;
	u16 rpm;
	struct fc_zone *zone;
};

static LIST_HEAD(fc_zones);
static LIST_HEAD(fc_fans);
static DEFINE_MUTEX(fc_lock);
static struct dentry *fc_dir;

static struct fc_zone *fc_zone_add(unsigned int id, bool sensed)
{
	struct fc_zone *zone = kzalloc(sizeof(*zone), GFP_KERNEL); /* @origin */

	if (!zone)
		return NULL;
	zone->id = id;
	zone->trip = 60000;
	if (sensed) {
		zone->sensor = kzalloc(sizeof(*zone->sensor), GFP_KERNEL);
		if (zone->sensor)
			zone->sensor->milli = 45000;
	}
	list_add_tail(&zone->node, &fc_zones);
	return zone;
}

static int fc_fan_add(unsigned int id, struct fc_zone *zone)
{
	struct fc_fan *fan = kzalloc(sizeof(*fan), GFP_KERNEL);

	if (!fan || !zone)
		return -ENOMEM;
	fan->id = id;
	fan->zone = zone;
	list_add_tail(&fan->node, &fc_fans);
	return 0;
}

static noinline int fc_spin(struct fc_fan *fan, unsigned int percent)
{
	if (percent > 100)
		return -ERANGE;
	if (fan->zone->sensor->milli > fan->zone->trip) /* @fault */
		percent = 100;
	fan->rpm = percent * 30;
	return 0;
}

static int fc_set(void *data, u64 percent)
{
	struct fc_fan *fan;
	int ret = 0;

	mutex_lock(&fc_lock);
	list_for_each_entry(fan, &fc_fans, node)
		ret = ret ?: fc_spin(fan, percent);
	mutex_unlock(&fc_lock);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(fc_fops, NULL, fc_set, "%llu\n");

static int __init fc_init(void)
{
	fc_fan_add(0, fc_zone_add(0, true));
	fc_fan_add(1, fc_zone_add(1, false));
	fc_dir = debugfs_create_dir("fanctl", NULL);
	debugfs_create_file_unsafe("percent", 0200, fc_dir, NULL, &fc_fops);
	return 0;
}

static void __exit fc_exit(void)
{
	debugfs_remove_recursive(fc_dir);
}

module_init(fc_init);
module_exit(fc_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("fan control");
