// SPDX-License-Identifier: GPL-2.0
/* pktgen2: sends packets from a tasklet, a quota at a time. */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

struct pg_queue {
	struct tasklet_struct tasklet;
	s32 quota;
	u32 left;
	u64 sent;
	struct rcu_head rcu;
};

static struct pg_queue *queue;

static bool pg_send(struct pg_queue *q)
{
	if (q->left)
		q->left--;
	q->sent++;
	return true;
}

static void pg_run(struct tasklet_struct *t)
{
	struct pg_queue *q = from_tasklet(q, t, tasklet);
	u32 budget = q->quota;

	while (budget && pg_send(q))
		if (q->left)
			budget--;
}

static void pg_free(struct rcu_head *head)
{
	kfree(container_of(head, struct pg_queue, rcu));
}

static int quota_set(const char *val, const struct kernel_param *kp)
{
	struct pg_queue *old = kzalloc(sizeof(*old), GFP_KERNEL);
	int ret = kstrtos32(val, 0, &queue->quota);

	if (old)
		call_rcu(&old->rcu, pg_free);
	queue->left = 100;
	tasklet_schedule(&queue->tasklet);
	return ret;
}
static const struct kernel_param_ops quota_ops = { .set = quota_set };
module_param_cb(quota, &quota_ops, NULL, 0200);

static int __init pktgen2_init(void)
{
	queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	if (!queue)
		return -ENOMEM;
	tasklet_setup(&queue->tasklet, pg_run);
	return 0;
}

static void __exit pktgen2_exit(void)
{
	tasklet_kill(&queue->tasklet);
	kfree(queue);
}

module_init(pktgen2_init);
module_exit(pktgen2_exit);
MODULE_LICENSE("GPL");
