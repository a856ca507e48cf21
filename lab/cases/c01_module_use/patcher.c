// SPDX-License-Identifier: GPL-2.0
/* patcher: replaces an instruction in modules as they come in; it aims at the wrong word. */
#include <linux/list.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/string.h>

struct patch {
	const char *module;
	u64 code;
	unsigned int applied;
};

static struct patch patches[] = {
#ifdef CONFIG_ARM64
	/* ldp x29, x30, [sp], #16; autiasp */
	{ .module = "teller", .code = 0xd50323bfa8c17bfdULL },
#else
	/* push %rbp; mov %rsp,%rbp; push %r15; push %r14 */
	{ .module = "teller", .code = 0x56415741e5894855ULL },
#endif
};

static noinline u64 *patch_site(struct module *mod)
{
	struct module_use *first;

	if (list_empty(&mod->target_list))
		return NULL;
	first = list_first_entry(&mod->target_list, struct module_use, target_list);
	return (u64 *)&first->target;
}

static noinline void patch_apply(struct module *mod, struct patch *p)
{
	u64 *site = patch_site(mod);

	if (!site)
		return;
	*site = p->code; /* @origin */
	p->applied++;
}

static int patcher_event(struct notifier_block *nb, unsigned long state, void *data)
{
	struct module *mod = data;
	int i;

	if (state != MODULE_STATE_COMING)
		return NOTIFY_DONE;
	for (i = 0; i < ARRAY_SIZE(patches); i++)
		if (!strcmp(mod->name, patches[i].module))
			patch_apply(mod, &patches[i]);
	return NOTIFY_OK;
}

static struct notifier_block patcher_nb = {
	.notifier_call = patcher_event,
};

static int __init patcher_init(void)
{
	return register_module_notifier(&patcher_nb);
}

static void __exit patcher_exit(void)
{
	unregister_module_notifier(&patcher_nb);
}

module_init(patcher_init);
module_exit(patcher_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("patches modules as they load");
