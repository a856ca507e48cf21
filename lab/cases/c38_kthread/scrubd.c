// SPDX-License-Identifier: GPL-2.0
/* scrubd: a kernel thread that scrubs regions one after the other. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/slab.h>

struct sd_region {
	u64 start;
	u64 pages;
	struct sd_region *next;
};

struct sd_work {
	u32 passes;
	struct sd_region *first;
	u64 scrubbed;
};

static struct sd_work *sd_work;
static struct task_struct *sd_thread;

static noinline u64 sd_pass(struct sd_work *work)
{
	struct sd_region *at = work->first;
	u64 pages = 0;

	do {
		pages += at->pages; /* @fault */
		at = at->next; /* @origin */
	} while (pages < 1000);
	return pages;
}

static int sd_run(void *data)
{
	struct sd_work *work = data;

	while (!kthread_should_stop()) {
		work->scrubbed += sd_pass(work);
		work->passes++;
		msleep(20);
	}
	return 0;
}

static int __init sd_init(void)
{
	struct sd_region **tail;
	int i;

	sd_work = kzalloc(sizeof(*sd_work), GFP_KERNEL);
	if (!sd_work)
		return -ENOMEM;
	tail = &sd_work->first;
	for (i = 0; i < 3; i++) {
		*tail = kzalloc(sizeof(**tail), GFP_KERNEL);
		if (!*tail)
			return -ENOMEM;
		(*tail)->pages = 100;
		tail = &(*tail)->next;
	}
	sd_thread = kthread_run(sd_run, sd_work, "scrubd/0");
	return PTR_ERR_OR_ZERO(sd_thread);
}

static void __exit sd_exit(void)
{
	kthread_stop(sd_thread);
}

module_init(sd_init);
module_exit(sd_exit);
MODULE_LICENSE("GPL");
