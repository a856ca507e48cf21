// SPDX-License-Identifier: GPL-2.0
/* jobrun: runs deferred jobs: a function and its argument. */
#include <linux/debugfs.h>
#include <linux/kfifo.h>
#include <linux/module.h>
#include <linux/workqueue.h>

struct job {
	void *fn;
	void *arg;
};

struct meter {
	u64 runs;
	u32 last;
};

static DEFINE_KFIFO(jobs, struct job, 8);
static struct meter meter;
static struct dentry *jr_dir;

static void job_worker(struct work_struct *work)
{
	struct job job;

	while (kfifo_get(&jobs, &job)) {
		void (*fn)(void *arg) = job.fn;

		fn(job.arg); /* @fault */
	}
}
static DECLARE_WORK(job_work, job_worker);

static void job_defer(void *fn, void *arg)
{
	struct job job = { fn, arg };

	kfifo_put(&jobs, job);
	schedule_work(&job_work);
}

static void meter_bump(void *arg)
{
	struct meter *m = arg;

	m->runs++;
}

static void meter_reset(void *arg)
{
	struct meter *m = arg;

	m->runs = 0;
}

static int run_set(void *data, u64 reset)
{
	if (reset)
		job_defer(&meter, meter_reset); /* @origin */
	else
		job_defer(meter_bump, &meter);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(run_fops, NULL, run_set, "%llu\n");

static int __init jobrun_init(void)
{
	jr_dir = debugfs_create_dir("jobrun", NULL);
	debugfs_create_file_unsafe("run", 0200, jr_dir, NULL, &run_fops);
	return 0;
}

static void __exit jobrun_exit(void)
{
	debugfs_remove_recursive(jr_dir);
	cancel_work_sync(&job_work);
}

module_init(jobrun_init);
module_exit(jobrun_exit);
MODULE_LICENSE("GPL");
