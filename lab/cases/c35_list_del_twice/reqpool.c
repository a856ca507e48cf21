// SPDX-License-Identifier: GPL-2.0
/* reqpool: requests that wait on a list until they are answered or time out. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

struct rp_request {
	u32 tag;
	struct list_head wait;
	u64 deadline;
};

static LIST_HEAD(rp_waiting);
static struct rp_request *rp_last;
static struct dentry *rp_dir;

static noinline void rp_expire(struct rp_request *req)
{
	list_del(&req->wait); /* @origin */
	req->deadline = 0;
}

static noinline void rp_answer(struct rp_request *req)
{
	/* It may have expired. */
	list_del(&req->wait); /* @call */
	req->tag = 0;
}

static int rp_set(void *data, u64 tag)
{
	struct rp_request *req = kzalloc(sizeof(*req), GFP_KERNEL);

	if (!req)
		return -ENOMEM;
	req->tag = tag;
	list_add_tail(&req->wait, &rp_waiting);
	rp_last = req;
	if (tag > 9)
		rp_expire(req);
	rp_answer(rp_last);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(rp_fops, NULL, rp_set, "%llu\n");

static int __init rp_init(void)
{
	rp_dir = debugfs_create_dir("reqpool", NULL);
	debugfs_create_file_unsafe("request", 0200, rp_dir, NULL, &rp_fops);
	return 0;
}

static void __exit rp_exit(void)
{
	debugfs_remove_recursive(rp_dir);
}

module_init(rp_init);
module_exit(rp_exit);
MODULE_LICENSE("GPL");
