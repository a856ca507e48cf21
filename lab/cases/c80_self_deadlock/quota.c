// SPDX-License-Identifier: GPL-2.0
/* quota: accounts of users, created on demand. */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct qt_account {
	int uid;
	long blocks;
};

struct qt_table {
	struct mutex lock;
	struct idr accounts;
	unsigned int created;
};

static struct qt_table table;

static struct qt_account *qt_create(struct qt_table *t, int uid)
{
	struct qt_account *a = kzalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return NULL;
	a->uid = uid;
	mutex_lock(&t->lock); /* @call */
	if (idr_alloc(&t->accounts, a, uid, uid + 1, GFP_KERNEL) < 0) {
		kfree(a);
		a = NULL;
	}
	t->created++;
	mutex_unlock(&t->lock);
	return a;
}

static int qt_charge(struct qt_table *t, int uid, long blocks)
{
	struct qt_account *a;
	int ret = -ENOMEM;

	mutex_lock(&t->lock);
	a = idr_find(&t->accounts, uid);
	if (!a)
		a = qt_create(t, uid); /* @origin */
	if (a) {
		a->blocks += blocks;
		ret = 0;
	}
	mutex_unlock(&t->lock);
	return ret;
}

static int charge_set(const char *val, const struct kernel_param *kp)
{
	long blocks;
	int uid;

	if (sscanf(val, "%d:%ld", &uid, &blocks) != 2)
		return -EINVAL;
	return qt_charge(kp->arg, uid, blocks);
}
static const struct kernel_param_ops charge_ops = { .set = charge_set };
module_param_cb(charge, &charge_ops, &table, 0200);

static int __init quota_init(void)
{
	mutex_init(&table.lock);
	idr_init(&table.accounts);
	return qt_create(&table, 0) ? 0 : -ENOMEM;
}

module_init(quota_init);
MODULE_LICENSE("GPL");
