// SPDX-License-Identifier: GPL-2.0
/* nslink: names that stand for values or for other names. */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct ns_name;

struct ns_ops {
	int (*resolve)(struct ns_name *name, char *out, size_t len);
};

struct ns_name {
	struct list_head node;
	char key[24];
	char value[24];
	const struct ns_ops *ops;
};

static LIST_HEAD(names);

static int ns_lookup(const char *key, char *out, size_t len)
{
	struct ns_name *n;
	char trimmed[24];

	strscpy(trimmed, key, sizeof(trimmed));
	list_for_each_entry(n, &names, node)
		if (!strcasecmp(n->key, trimmed))
			return n->ops->resolve(n, out, len);
	return -ENOENT;
}

static int ns_plain(struct ns_name *name, char *out, size_t len)
{
	strscpy(out, name->value, len);
	return 0;
}

static int ns_alias(struct ns_name *name, char *out, size_t len)
{
	char target[64];
	int ret;

	ret = ns_lookup(name->value, target, sizeof(target));
	if (!ret)
		snprintf(out, len, "%s", target);
	return ret;
}

static const struct ns_ops plain_ops = { .resolve = ns_plain };
static const struct ns_ops alias_ops = { .resolve = ns_alias };

static int set_set(const char *val, const struct kernel_param *kp)
{
	size_t len = strcspn(val, "@=");
	struct ns_name *n = kzalloc(sizeof(*n), GFP_KERNEL);

	if (!n)
		return -ENOMEM;
	if (!val[len] || len >= sizeof(n->key)) {
		kfree(n);
		return -EINVAL;
	}
	memcpy(n->key, val, len);
	strscpy(n->value, val + len + 1, sizeof(n->value));
	strim(n->value);
	n->ops = val[len] == '@' ? &alias_ops : &plain_ops;
	list_add(&n->node, &names);
	return 0;
}

static int get_set(const char *val, const struct kernel_param *kp)
{
	char key[24], out[64];
	int ret;

	strscpy(key, val, sizeof(key));
	ret = ns_lookup(strim(key), out, sizeof(out));
	if (!ret)
		pr_info("nslink: %s\n", out);
	return ret;
}

static const struct kernel_param_ops set_ops = { .set = set_set };
static const struct kernel_param_ops get_ops = { .set = get_set };
module_param_cb(set, &set_ops, NULL, 0200);
module_param_cb(get, &get_ops, NULL, 0200);

static int __init nslink_init(void)
{
	return 0;
}

module_init(nslink_init);
MODULE_LICENSE("GPL");
