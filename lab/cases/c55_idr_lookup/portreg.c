// SPDX-License-Identifier: GPL-2.0
/* portreg: a registry of ports by number. */
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "portreg.h"

static DEFINE_IDR(ports);
static DEFINE_MUTEX(ports_lock);

struct port *port_get(int id)
{
	struct port *p;

	mutex_lock(&ports_lock);
	p = idr_find(&ports, id); /* @origin */
	if (p)
		p->users++;
	mutex_unlock(&ports_lock);
	return p;
}
EXPORT_SYMBOL_GPL(port_get);

static int port_add(int id, u32 speed)
{
	struct port *p = kzalloc(sizeof(*p), GFP_KERNEL);
	int ret;

	if (!p)
		return -ENOMEM;
	p->speed = speed;
	ret = idr_alloc(&ports, p, id, id + 1, GFP_KERNEL);
	return ret < 0 ? ret : 0;
}

static int __init portreg_init(void)
{
	return port_add(1, 10000) ?: port_add(2, 25000) ?: port_add(8, 100000);
}

module_init(portreg_init);
MODULE_LICENSE("GPL");
