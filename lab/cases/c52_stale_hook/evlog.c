// SPDX-License-Identifier: GPL-2.0
/* evlog: keeps the last events of evbus. */
#include <linux/module.h>
#include <linux/vmalloc.h>

int ev_listen(int (*notify)(void *priv, unsigned int event), void *priv);

struct ev_ring {
	unsigned int head;
	unsigned int events[60];
};

static struct ev_ring *ring;

static int evlog_event(void *priv, unsigned int event)
{
	struct ev_ring *r = priv;

	r->events[r->head++ % ARRAY_SIZE(r->events)] = event;
	return 0;
}

static int __init evlog_init(void)
{
	ring = vzalloc(sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	return ev_listen(evlog_event, ring);
}

static void __exit evlog_exit(void)
{
	vfree(ring);
}

module_init(evlog_init);
module_exit(evlog_exit);
MODULE_LICENSE("GPL");
