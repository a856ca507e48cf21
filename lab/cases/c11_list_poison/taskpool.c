// SPDX-License-Identifier: GPL-2.0
/* taskpool: a pool of jobs; finished ones are taken off the list. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct tp_job {
	u32 id;
	u32 state;
	u64 runtime;
	struct list_head link;
	u32 retries;
};

static LIST_HEAD(tp_jobs);
static DEFINE_MUTEX(tp_lock);
static struct dentry *tp_dir;

static int tp_add(u32 id)
{
	struct tp_job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return -ENOMEM;
	job->id = id;
	list_add_tail(&job->link, &tp_jobs);
	return 0;
}

static noinline int tp_reap(u32 limit)
{
	struct tp_job *job;
	int reaped = 0;

	list_for_each_entry(job, &tp_jobs, link) {
		if (job->id >= limit) /* @fault */
			continue;
		/* Should be the _safe walk. */
		list_del(&job->link); /* @origin */
		reaped++;
	}
	return reaped;
}

static int tp_set(void *data, u64 limit)
{
	mutex_lock(&tp_lock);
	pr_info("taskpool: %d reaped\n", tp_reap(limit));
	mutex_unlock(&tp_lock);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(tp_fops, NULL, tp_set, "%llu\n");

static int __init tp_init(void)
{
	u32 i;

	for (i = 0; i < 6; i++)
		tp_add(i);
	tp_dir = debugfs_create_dir("taskpool", NULL);
	debugfs_create_file_unsafe("reap", 0200, tp_dir, NULL, &tp_fops);
	return 0;
}

static void __exit tp_exit(void)
{
	debugfs_remove_recursive(tp_dir);
}

module_init(tp_init);
module_exit(tp_exit);
MODULE_LICENSE("GPL");
