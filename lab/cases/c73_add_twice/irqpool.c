// SPDX-License-Identifier: GPL-2.0
/* irqpool: free vectors are kept on a list of their pool. */
#include <linux/debugfs.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

struct ip_vector {
	struct list_head free;
	u16 nr;
	u16 cpu;
};

struct ip_pool {
	spinlock_t lock;
	struct list_head free;
	struct ip_vector vec[16];
};

static struct ip_pool *pool;
static struct dentry *ip_dir;

static void ip_release(struct ip_pool *p, u16 nr)
{
	struct ip_vector *v = &p->vec[nr % ARRAY_SIZE(p->vec)];
	unsigned long flags;

	spin_lock_irqsave(&p->lock, flags);
	list_add(&v->free, &p->free); /* @call */
	spin_unlock_irqrestore(&p->lock, flags);
}

static int take_set(void *data, u64 cpu)
{
	struct ip_vector *v;

	spin_lock_irq(&pool->lock);
	v = list_first_entry_or_null(&pool->free, struct ip_vector, free);
	if (v) {
		list_del_init(&v->free);
		v->cpu = cpu;
	}
	spin_unlock_irq(&pool->lock);
	return v ? 0 : -EBUSY;
}
DEFINE_DEBUGFS_ATTRIBUTE(take_fops, NULL, take_set, "%llu\n");

static int give_set(void *data, u64 nr)
{
	ip_release(data, nr); /* @origin */
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(give_fops, NULL, give_set, "%llu\n");

static int __init irqpool_init(void)
{
	u16 i;

	pool = kzalloc(sizeof(*pool), GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->free);
	for (i = 0; i < ARRAY_SIZE(pool->vec); i++) {
		pool->vec[i].nr = i;
		list_add_tail(&pool->vec[i].free, &pool->free);
	}
	ip_dir = debugfs_create_dir("irqpool", NULL);
	debugfs_create_file_unsafe("take", 0200, ip_dir, pool, &take_fops);
	debugfs_create_file_unsafe("give", 0200, ip_dir, pool, &give_fops);
	return 0;
}

static void __exit irqpool_exit(void)
{
	debugfs_remove_recursive(ip_dir);
	kfree(pool);
}

module_init(irqpool_init);
module_exit(irqpool_exit);
MODULE_LICENSE("GPL");
