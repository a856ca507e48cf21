// SPDX-License-Identifier: GPL-2.0
/* symtab: an open-addressed table of names; deleted places are marked. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/stringhash.h>

struct st_symbol {
	unsigned int hash;
	unsigned int uses;
	char name[24];
};

#define ST_SIZE 16
#define ST_DELETED ((struct st_symbol *)8)

static struct st_symbol *slots[ST_SIZE];

static struct st_symbol **st_find(const char *name)
{
	unsigned int hash = full_name_hash(NULL, name, strlen(name));
	unsigned int i;

	for (i = 0; i < ST_SIZE; i++) {
		struct st_symbol **slot = &slots[(hash + i) % ST_SIZE];

		if (!*slot)
			return slot;
		if ((*slot)->hash == hash && !strcmp((*slot)->name, name)) /* @fault */
			return slot;
	}
	return NULL;
}

static int use_set(const char *val, const struct kernel_param *kp)
{
	struct st_symbol **slot, *sym;
	char name[24];

	strscpy(name, val, sizeof(name));
	slot = st_find(strim(name));
	if (!slot)
		return -ENOSPC;
	sym = *slot;
	if (!sym) {
		sym = kzalloc(sizeof(*sym), GFP_KERNEL);
		if (!sym)
			return -ENOMEM;
		strscpy(sym->name, strim(name), sizeof(sym->name));
		sym->hash = full_name_hash(NULL, sym->name, strlen(sym->name));
		*slot = sym;
	}
	sym->uses++;
	return 0;
}

static int drop_set(const char *val, const struct kernel_param *kp)
{
	struct st_symbol **slot;
	char name[24];

	strscpy(name, val, sizeof(name));
	slot = st_find(strim(name));
	if (!slot || !*slot)
		return -ENOENT;
	kfree(*slot);
	*slot = ST_DELETED; /* @origin */
	return 0;
}

static const struct kernel_param_ops use_ops = { .set = use_set };
static const struct kernel_param_ops drop_ops = { .set = drop_set };
module_param_cb(use, &use_ops, NULL, 0200);
module_param_cb(drop, &drop_ops, NULL, 0200);

static int __init symtab_init(void)
{
	return 0;
}

module_init(symtab_init);
MODULE_LICENSE("GPL");
