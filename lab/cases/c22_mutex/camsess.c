// SPDX-License-Identifier: GPL-2.0
/* camsess: capture sessions of a camera; each session locks its buffer queue. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct cs_queue {
	u32 depth;
	struct mutex lock;
	u32 done;
};

struct cs_session {
	u32 id;
	struct cs_queue *queue;
};

static struct cs_session *cs_sessions[2];
static struct dentry *cs_dir;

static noinline u32 cs_dequeue(struct cs_session *sess)
{
	u32 done;

	mutex_lock(&sess->queue->lock); /* @call */
	done = sess->queue->done++;
	mutex_unlock(&sess->queue->lock);
	return done;
}

static int cs_set(void *data, u64 index)
{
	pr_info("camsess: %u\n", cs_dequeue(cs_sessions[index & 1]));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cs_fops, NULL, cs_set, "%llu\n");

static int __init cs_init(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		cs_sessions[i] = kzalloc(sizeof(*cs_sessions[i]), GFP_KERNEL); /* @origin */
		if (!cs_sessions[i])
			return -ENOMEM;
		cs_sessions[i]->id = i;
	}
	cs_sessions[0]->queue = kzalloc(sizeof(struct cs_queue), GFP_KERNEL);
	if (!cs_sessions[0]->queue)
		return -ENOMEM;
	mutex_init(&cs_sessions[0]->queue->lock);
	cs_dir = debugfs_create_dir("camsess", NULL);
	debugfs_create_file_unsafe("dequeue", 0200, cs_dir, NULL, &cs_fops);
	return 0;
}

static void __exit cs_exit(void)
{
	debugfs_remove_recursive(cs_dir);
}

module_init(cs_init);
module_exit(cs_exit);
MODULE_LICENSE("GPL");
