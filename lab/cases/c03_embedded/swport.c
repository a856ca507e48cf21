// SPDX-License-Identifier: GPL-2.0
/* swport: per-port queues of a software switch. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#define SW_PORTS 8

struct sw_stats {
	u64 packets;
	u64 bytes;
	u32 dropped;
};

struct sw_queue {
	u32 depth;
	u32 limit;
	struct sw_stats stats;
};

struct sw_port {
	char name[16];
	u8 mac[6];
	u16 vlan;
	struct sw_queue rx;
	struct sw_queue tx;
};

struct sw_switch {
	unsigned int nports;
	struct sw_port *ports[SW_PORTS];
};

static struct sw_switch sw_main;
static struct dentry *sw_dir;

static struct sw_port *sw_port_by_vlan(struct sw_switch *sw, u16 vlan)
{
	unsigned int i;

	for (i = 0; i < sw->nports; i++)
		if (sw->ports[i] && sw->ports[i]->vlan == vlan)
			return sw->ports[i];
	return NULL; /* @origin */
}

static noinline u32 sw_drop(struct sw_port *port, u32 count)
{
	port->tx.stats.dropped += count; /* @fault */
	return port->tx.stats.dropped;
}

static int sw_set(void *data, u64 vlan)
{
	struct sw_switch *sw = data;

	pr_info("swport: vlan %llu dropped %u\n", vlan, sw_drop(sw_port_by_vlan(sw, vlan), 1));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sw_fops, NULL, sw_set, "%llu\n");

static int __init sw_init(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		struct sw_port *port = kzalloc(sizeof(*port), GFP_KERNEL);

		if (!port)
			break;
		snprintf(port->name, sizeof(port->name), "sw%u", i);
		port->vlan = 10 * i;
		port->tx.limit = 64;
		sw_main.ports[sw_main.nports++] = port;
	}
	sw_dir = debugfs_create_dir("swport", NULL);
	debugfs_create_file_unsafe("drop", 0200, sw_dir, &sw_main, &sw_fops);
	return 0;
}

static void __exit sw_exit(void)
{
	debugfs_remove_recursive(sw_dir);
	while (sw_main.nports)
		kfree(sw_main.ports[--sw_main.nports]);
}

module_init(sw_init);
module_exit(sw_exit);
MODULE_LICENSE("GPL");
