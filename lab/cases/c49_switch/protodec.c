// SPDX-License-Identifier: GPL-2.0
/* protodec: decodes packets by their kind. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

enum pd_kind { PD_HELLO, PD_DATA, PD_ACK, PD_NACK, PD_BYE, PD_PING, PD_PONG };

struct pd_window {
	u32 sent;
	u32 acked;
	u32 lost;
	u32 rtt;
};

struct pd_link {
	u32 state;
	u32 kind;
	u64 bytes;
	struct pd_window *window;
};

static struct pd_link *pd_link;
static struct dentry *pd_dir;

static noinline int pd_decode(struct pd_link *link, u32 kind, u32 value)
{
	switch (kind) {
	case PD_HELLO:
		link->state = 1;
		return 0;
	case PD_DATA:
		link->bytes += value;
		return link->state ? 0 : -EPROTO;
	case PD_ACK:
		link->window->acked = value; /* @fault */
		return 1;
	case PD_NACK:
		link->window->lost++;
		return 2;
	case PD_BYE:
		link->state = 0;
		return 3;
	case PD_PING:
		link->bytes++;
		return value ^ 7;
	case PD_PONG:
		link->window->rtt = value;
		return link->kind;
	}
	return -EINVAL;
}

static int pd_set(void *data, u64 value)
{
	pr_info("protodec: %d\n", pd_decode(data, value & 7, value >> 3));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pd_fops, NULL, pd_set, "%llu\n");

static int __init pd_init(void)
{
	/* The window comes with the first packet of data, which a peer may leave out. */
	pd_link = kzalloc(sizeof(*pd_link), GFP_KERNEL); /* @origin */
	if (!pd_link)
		return -ENOMEM;
	pd_dir = debugfs_create_dir("protodec", NULL);
	debugfs_create_file_unsafe("packet", 0200, pd_dir, pd_link, &pd_fops);
	return 0;
}

static void __exit pd_exit(void)
{
	debugfs_remove_recursive(pd_dir);
	kfree(pd_link);
}

module_init(pd_init);
module_exit(pd_exit);
MODULE_LICENSE("GPL");
