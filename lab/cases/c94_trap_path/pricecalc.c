// SPDX-License-Identifier: GPL-2.0
/* pricecalc: mean power of a window of samples. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct pw_window {
	u32 milliwatt[16];
	u32 fill;
	u32 kind;
};

static struct pw_window *window;
static struct dentry *pw_dir;

static u32 pw_divisor(const struct pw_window *w)
{
	switch (w->kind) {
	case 0:
		return 16;
	case 1:
		return w->fill + 1;
	default:
		/* not supported yet */
		return 0;
	}
}

static u32 pw_mean(const struct pw_window *w)
{
	u32 sum = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(w->milliwatt); i++)
		sum += w->milliwatt[i];
	return sum / pw_divisor(w); /* @fault */
}

static int mean_get(void *data, u64 *value)
{
	*value = pw_mean(data);
	return 0;
}

static int kind_set(void *data, u64 kind)
{
	struct pw_window *w = data;

	w->kind = kind;
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mean_fops, mean_get, kind_set, "%llu\n");

static int __init pricecalc_init(void)
{
	window = kzalloc(sizeof(*window), GFP_KERNEL);
	if (!window)
		return -ENOMEM;
	window->milliwatt[3] = 1700;
	pw_dir = debugfs_create_dir("pricecalc", NULL);
	debugfs_create_file_unsafe("mean", 0600, pw_dir, window, &mean_fops);
	return 0;
}

static void __exit pricecalc_exit(void)
{
	debugfs_remove_recursive(pw_dir);
}

module_init(pricecalc_init);
module_exit(pricecalc_exit);
MODULE_LICENSE("GPL");
