// SPDX-License-Identifier: GPL-2.0
/* spistub: a serial bus whose transfers are timed under a lock. */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

struct sp_bus {
	spinlock_t lock;
	u32 speed;
	u64 transfers;
	u64 waited;
};

static struct sp_bus *sp_bus;
static struct dentry *sp_dir;

static noinline void sp_wait(struct sp_bus *bus, u32 bytes)
{
	msleep(bytes * 8 / bus->speed + 1); /* @call */
	bus->waited += bytes;
}

static noinline void sp_transfer(struct sp_bus *bus, u32 bytes)
{
	spin_lock(&bus->lock); /* @origin */
	bus->transfers++;
	sp_wait(bus, bytes);
	spin_unlock(&bus->lock);
}

static int sp_set(void *data, u64 bytes)
{
	sp_transfer(data, bytes);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sp_fops, NULL, sp_set, "%llu\n");

static int __init sp_init(void)
{
	sp_bus = kzalloc(sizeof(*sp_bus), GFP_KERNEL);
	if (!sp_bus)
		return -ENOMEM;
	spin_lock_init(&sp_bus->lock);
	sp_bus->speed = 100;
	sp_dir = debugfs_create_dir("spistub", NULL);
	debugfs_create_file_unsafe("transfer", 0200, sp_dir, sp_bus, &sp_fops);
	return 0;
}

static void __exit sp_exit(void)
{
	debugfs_remove_recursive(sp_dir);
	kfree(sp_bus);
}

module_init(sp_init);
module_exit(sp_exit);
MODULE_LICENSE("GPL");
