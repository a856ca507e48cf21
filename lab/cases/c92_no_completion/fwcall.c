// SPDX-License-Identifier: GPL-2.0
/* fwcall: calls to a firmware; the answer comes later, from a timer. */
#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timer.h>

struct fw_msg {
	u32 id;
	u32 reply;
	bool async;
};

struct fw_call {
	struct fw_msg msg;
	struct timer_list answer;
	struct completion done;
};

static struct dentry *fw_dir;
static unsigned int answered;

static void fw_answer(struct timer_list *t)
{
	struct fw_call *call = from_timer(call, t, answer);

	call->msg.reply = ~call->msg.id;
	complete(&call->done); /* @call */
	answered++;
}

static struct fw_call *fw_call_new(u32 id, bool async)
{
	struct fw_call *call = kzalloc(sizeof(*call), GFP_KERNEL); /* @origin */

	if (!call)
		return NULL;
	call->msg.id = id;
	call->msg.async = async;
	timer_setup(&call->answer, fw_answer, 0);
	if (!async)
		init_completion(&call->done);
	return call;
}

static int call_set(void *data, u64 id)
{
	struct fw_call *call = fw_call_new(id, id > 100);

	if (!call)
		return -ENOMEM;
	mod_timer(&call->answer, jiffies + 2);
	if (!call->msg.async)
		wait_for_completion(&call->done);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(call_fops, NULL, call_set, "%llu\n");

static int __init fwcall_init(void)
{
	fw_dir = debugfs_create_dir("fwcall", NULL);
	debugfs_create_file_unsafe("call", 0200, fw_dir, NULL, &call_fops);
	return 0;
}

static void __exit fwcall_exit(void)
{
	debugfs_remove_recursive(fw_dir);
}

module_init(fwcall_init);
module_exit(fwcall_exit);
MODULE_LICENSE("GPL");
