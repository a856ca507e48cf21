// SPDX-License-Identifier: GPL-2.0
/* statsync: collects statistics in the background; "stop" waits for the collection. */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

struct ss_collector {
	struct mutex lock;
	struct work_struct work;
	bool running;
	u64 rounds;
};

static struct ss_collector collector;
static struct dentry *ss_dir;

static void ss_collect(struct work_struct *work)
{
	struct ss_collector *c = container_of(work, struct ss_collector, work);

	msleep(50);
	mutex_lock(&c->lock);
	c->rounds++;
	mutex_unlock(&c->lock);
}

static void ss_stop(struct ss_collector *c)
{
	mutex_lock(&c->lock);
	if (c->running) {
		flush_work(&c->work); /* @origin */
		c->running = false;
	}
	mutex_unlock(&c->lock);
}

static int run_set(void *data, u64 run)
{
	struct ss_collector *c = data;

	if (!run) {
		ss_stop(c);
		return 0;
	}
	mutex_lock(&c->lock);
	c->running = true;
	queue_work(system_long_wq, &c->work);
	mutex_unlock(&c->lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(run_fops, NULL, run_set, "%llu\n");

static int __init statsync_init(void)
{
	mutex_init(&collector.lock);
	INIT_WORK(&collector.work, ss_collect);
	ss_dir = debugfs_create_dir("statsync", NULL);
	debugfs_create_file_unsafe("run", 0200, ss_dir, &collector, &run_fops);
	return 0;
}

static void __exit statsync_exit(void)
{
	debugfs_remove_recursive(ss_dir);
	cancel_work_sync(&collector.work);
}

module_init(statsync_init);
module_exit(statsync_exit);
MODULE_LICENSE("GPL");
