// SPDX-License-Identifier: GPL-2.0
/* dmareq: submits a request and waits until the engine has done it. */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

struct dr_request {
	u32 len;
	int status;
	struct completion done;
	struct work_struct work;
};

static struct dentry *dr_dir;

static void dr_engine(struct work_struct *work)
{
	struct dr_request *req = container_of(work, struct dr_request, work);

	if (req->len > 4096) {
		/* too long for one descriptor */
		req->status = -EMSGSIZE;
		return; /* @origin */
	}
	req->status = 0;
	complete(&req->done);
}

static int dr_submit(struct dr_request *req)
{
	INIT_WORK(&req->work, dr_engine);
	queue_work(system_long_wq, &req->work);
	wait_for_completion(&req->done); /* @call */
	return req->status;
}

static int len_set(void *data, u64 len)
{
	struct dr_request *req = kzalloc(sizeof(*req), GFP_KERNEL);
	int ret;

	if (!req)
		return -ENOMEM;
	init_completion(&req->done);
	req->len = len;
	ret = dr_submit(req);
	kfree(req);
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(len_fops, NULL, len_set, "%llu\n");

static int __init dmareq_init(void)
{
	dr_dir = debugfs_create_dir("dmareq", NULL);
	debugfs_create_file_unsafe("len", 0200, dr_dir, NULL, &len_fops);
	return 0;
}

static void __exit dmareq_exit(void)
{
	debugfs_remove_recursive(dr_dir);
}

module_init(dmareq_init);
module_exit(dmareq_exit);
MODULE_LICENSE("GPL");
