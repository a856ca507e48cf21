// SPDX-License-Identifier: GPL-2.0
/* evbus: lets drivers listen to events that are posted from user space. */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct ev_listener {
	struct list_head node;
	int (*notify)(void *priv, unsigned int event);
	void *priv;
};

static LIST_HEAD(ev_listeners);
static DEFINE_MUTEX(ev_mutex);

int ev_listen(int (*notify)(void *priv, unsigned int event), void *priv)
{
	struct ev_listener *l = kmalloc(sizeof(*l), GFP_KERNEL);

	if (!l)
		return -ENOMEM;
	l->notify = notify; /* @origin */
	l->priv = priv;
	mutex_lock(&ev_mutex);
	list_add(&l->node, &ev_listeners);
	mutex_unlock(&ev_mutex);
	return 0;
}
EXPORT_SYMBOL_GPL(ev_listen);

static ssize_t ev_post(struct file *file, const char __user *ubuf, size_t len, loff_t *pos)
{
	struct ev_listener *l;
	unsigned int event;
	int ret = kstrtouint_from_user(ubuf, len, 0, &event);

	if (ret)
		return ret;
	mutex_lock(&ev_mutex);
	list_for_each_entry(l, &ev_listeners, node) {
		ret = l->notify(l->priv, event); /* @fault */
		if (ret)
			break;
	}
	mutex_unlock(&ev_mutex);
	return ret < 0 ? ret : len;
}

static const struct proc_ops ev_proc = {
	.proc_write = ev_post,
	.proc_lseek = no_llseek,
};

static int __init evbus_init(void)
{
	return proc_create("evbus", 0200, NULL, &ev_proc) ? 0 : -ENOMEM;
}

module_init(evbus_init);
MODULE_LICENSE("GPL");
