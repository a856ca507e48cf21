// SPDX-License-Identifier: GPL-2.0
/* jrnlock: a journal and its index, each with a lock. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>

struct jl_journal {
	struct mutex log;
	struct mutex index;
	u64 records;
};

static struct jl_journal jl_main;

static noinline void jl_append(struct jl_journal *journal)
{
	mutex_lock(&journal->log);
	msleep(50);
	mutex_lock(&journal->index); /* @call */
	journal->records++;
	mutex_unlock(&journal->index);
	mutex_unlock(&journal->log);
}

static noinline void jl_compact(struct jl_journal *journal)
{
	mutex_lock(&journal->index);
	msleep(50);
	mutex_lock(&journal->log); /* @origin */
	journal->records = 0;
	mutex_unlock(&journal->log);
	mutex_unlock(&journal->index);
}

static int jl_writer(void *data)
{
	jl_append(data);
	return 0;
}

static int jl_cleaner(void *data)
{
	jl_compact(data);
	return 0;
}

static int __init jl_init(void)
{
	mutex_init(&jl_main.log);
	mutex_init(&jl_main.index);
	kthread_run(jl_writer, &jl_main, "jl_writer");
	kthread_run(jl_cleaner, &jl_main, "jl_cleaner");
	return 0;
}

static void __exit jl_exit(void)
{
}

module_init(jl_init);
module_exit(jl_exit);
MODULE_LICENSE("GPL");
