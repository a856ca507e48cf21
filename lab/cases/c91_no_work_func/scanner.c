// SPDX-License-Identifier: GPL-2.0
/* scanner: rescans its buses in the background. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

enum sc_type { SC_ROOT, SC_BRIDGE, SC_VIRTUAL };

struct sc_bus {
	enum sc_type type;
	u32 found;
	struct work_struct scan;
};

static struct sc_bus *buses[3];
static struct workqueue_struct *sc_wq;
static struct dentry *sc_dir;

static void sc_scan_root(struct work_struct *work)
{
	container_of(work, struct sc_bus, scan)->found = 4;
}

static void sc_scan_bridge(struct work_struct *work)
{
	container_of(work, struct sc_bus, scan)->found++;
}

static struct sc_bus *sc_bus_alloc(enum sc_type type)
{
	struct sc_bus *bus = kzalloc(sizeof(*bus), GFP_KERNEL); /* @origin */

	if (!bus)
		return NULL;
	bus->type = type;
	switch (type) {
	case SC_ROOT:
		INIT_WORK(&bus->scan, sc_scan_root);
		break;
	case SC_BRIDGE:
		INIT_WORK(&bus->scan, sc_scan_bridge);
		break;
	default:
		INIT_LIST_HEAD(&bus->scan.entry);
		break;
	}
	return bus;
}

static int rescan_set(void *data, u64 nr)
{
	if (nr >= ARRAY_SIZE(buses))
		return -EINVAL;
	queue_work(sc_wq, &buses[nr]->scan);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(rescan_fops, NULL, rescan_set, "%llu\n");

static int __init scanner_init(void)
{
	int i;

	sc_wq = alloc_workqueue("scanner", 0, 1);
	if (!sc_wq)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(buses); i++) {
		buses[i] = sc_bus_alloc(i);
		if (!buses[i])
			return -ENOMEM;
	}
	sc_dir = debugfs_create_dir("scanner", NULL);
	debugfs_create_file_unsafe("rescan", 0200, sc_dir, NULL, &rescan_fops);
	return 0;
}

static void __exit scanner_exit(void)
{
	debugfs_remove_recursive(sc_dir);
	destroy_workqueue(sc_wq);
}

module_init(scanner_init);
module_exit(scanner_exit);
MODULE_LICENSE("GPL");
