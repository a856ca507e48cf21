// SPDX-License-Identifier: GPL-2.0
/* pulsegen: makes pulses from a high-resolution timer. */
#include <linux/debugfs.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/slab.h>

struct pg_shape {
	u32 high;
	u32 low;
};

struct pg_output {
	u32 id;
	u64 pulses;
	struct hrtimer timer;
	struct pg_shape *shape;
};

static struct pg_output *pg_out;
static struct dentry *pg_dir;

static enum hrtimer_restart pg_tick(struct hrtimer *timer)
{
	struct pg_output *out = container_of(timer, struct pg_output, timer);

	out->pulses++;
	hrtimer_forward_now(timer, ns_to_ktime(out->shape->high * 1000)); /* @fault */
	return HRTIMER_RESTART;
}

static int pg_set(void *data, u64 usecs)
{
	struct pg_output *out = data;

	if (usecs > 10)
		out->shape = NULL; /* @origin */
	hrtimer_start(&out->timer, ns_to_ktime(usecs * 1000), HRTIMER_MODE_REL);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pg_fops, NULL, pg_set, "%llu\n");

static int __init pg_init(void)
{
	pg_out = kzalloc(sizeof(*pg_out), GFP_KERNEL);
	if (!pg_out)
		return -ENOMEM;
	pg_out->shape = kzalloc(sizeof(*pg_out->shape), GFP_KERNEL);
	hrtimer_init(&pg_out->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	pg_out->timer.function = pg_tick;
	pg_dir = debugfs_create_dir("pulsegen", NULL);
	debugfs_create_file_unsafe("start", 0200, pg_dir, pg_out, &pg_fops);
	return 0;
}

static void __exit pg_exit(void)
{
	debugfs_remove_recursive(pg_dir);
	hrtimer_cancel(&pg_out->timer);
}

module_init(pg_init);
module_exit(pg_exit);
MODULE_LICENSE("GPL");
