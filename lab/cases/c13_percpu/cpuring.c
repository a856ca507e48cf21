// SPDX-License-Identifier: GPL-2.0
/* cpuring: a trace ring for each CPU, made when the CPU is first used. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>

struct cr_entry {
	u64 stamp;
	u32 event;
};

struct cr_ring {
	struct cr_entry *entries;
	u32 size;
	u32 head;
};

static DEFINE_PER_CPU(struct cr_ring *, cr_current);
static struct dentry *cr_dir;

static int cr_prepare(int cpu)
{
	struct cr_ring *ring;

	/* Off by one: the boot CPU never gets its ring. */
	if (cpu < 1)
		return 0; /* @origin */
	ring = kzalloc(sizeof(*ring), GFP_KERNEL);
	if (!ring)
		return -ENOMEM;
	ring->size = 32;
	per_cpu(cr_current, cpu) = ring;
	return 0;
}

static noinline u32 cr_reserve(u32 count)
{
	struct cr_ring *ring = this_cpu_read(cr_current);
	u32 at = ring->head; /* @fault */

	ring->head = (at + count) & (ring->size - 1);
	return at;
}

static int cr_set(void *data, u64 count)
{
	u32 at;

	preempt_disable();
	at = cr_reserve(count);
	preempt_enable();
	pr_info("cpuring: %u\n", at);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cr_fops, NULL, cr_set, "%llu\n");

static int __init cr_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cr_prepare(cpu);
	cr_dir = debugfs_create_dir("cpuring", NULL);
	debugfs_create_file_unsafe("reserve", 0200, cr_dir, NULL, &cr_fops);
	return 0;
}

static void __exit cr_exit(void)
{
	debugfs_remove_recursive(cr_dir);
}

module_init(cr_init);
module_exit(cr_exit);
MODULE_LICENSE("GPL");
