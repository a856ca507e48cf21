// SPDX-License-Identifier: GPL-2.0
/* txring: packets wait in a ring until they are sent or flushed. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#define TX_SLOTS 8

struct tx_packet {
	u32 len;
	u32 seq;
	u8 data[120];
};

struct tx_ring {
	struct tx_packet *slot[TX_SLOTS];
	u32 head, tail;
	u32 dropped;
};

static struct tx_ring ring;
static struct dentry *tx_dir;

static void tx_drop(struct tx_ring *r, u32 at)
{
	struct tx_packet *p = r->slot[at % TX_SLOTS];

	kfree(p); /* @call */
	r->dropped++;
}

static int tx_timeout(struct tx_ring *r)
{
	/* the head has waited too long */
	if (r->head == r->tail)
		return 0;
	tx_drop(r, r->head); /* @origin */
	return 1;
}

static void tx_flush(struct tx_ring *r)
{
	while (r->head != r->tail)
		tx_drop(r, r->head++);
}

static int send_set(void *data, u64 seq)
{
	struct tx_packet *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->seq = seq;
	ring.slot[ring.tail++ % TX_SLOTS] = p;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(send_fops, NULL, send_set, "%llu\n");

static int reset_set(void *data, u64 value)
{
	if (value)
		tx_timeout(&ring);
	tx_flush(&ring);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(reset_fops, NULL, reset_set, "%llu\n");

static int __init txring_init(void)
{
	tx_dir = debugfs_create_dir("txring", NULL);
	debugfs_create_file_unsafe("send", 0200, tx_dir, NULL, &send_fops);
	debugfs_create_file_unsafe("reset", 0200, tx_dir, NULL, &reset_fops);
	return 0;
}

static void __exit txring_exit(void)
{
	debugfs_remove_recursive(tx_dir);
	tx_flush(&ring);
}

module_init(txring_init);
module_exit(txring_exit);
MODULE_LICENSE("GPL");
