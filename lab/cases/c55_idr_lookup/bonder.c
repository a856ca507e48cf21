// SPDX-License-Identifier: GPL-2.0
/* bonder: bonds two ports into one. */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include "portreg.h"

struct bond {
	struct port *first, *second;
	u64 speed;
};

static struct bond bond;

static int bond_setup(struct bond *b, int first, int second)
{
	b->first = port_get(first);
	b->second = port_get(second);
	b->speed = (u64)b->first->speed + b->second->speed; /* @fault */
	return 0;
}

static int pair_set(const char *val, const struct kernel_param *kp)
{
	int first, second;

	if (sscanf(val, "%d+%d", &first, &second) != 2)
		return -EINVAL;
	return bond_setup(kp->arg, first, second);
}

static const struct kernel_param_ops pair_ops = {
	.set = pair_set,
};
module_param_cb(pair, &pair_ops, &bond, 0200);

static int __init bonder_init(void)
{
	return 0;
}

module_init(bonder_init);
MODULE_LICENSE("GPL");
