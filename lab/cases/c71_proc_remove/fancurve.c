// SPDX-License-Identifier: GPL-2.0
/* fancurve: shows the curve of a fan, one file for each of its steps. */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

struct fc_step {
	const char *name;
	int from, percent;
	struct proc_dir_entry *entry;
};

static struct fc_step steps[] = {
	{ .name = "idle", .from = 0, .percent = 20 },
	{ .name = "load", .from = 50, .percent = 60 },
	{ .name = "max", .from = 80, .percent = 0 },
};

static struct proc_dir_entry *fc_root;

static int step_show(struct seq_file *m, void *v)
{
	const struct fc_step *s = m->private;

	seq_printf(m, "%d %d\n", s->from, s->percent);
	return 0;
}

static int __init fancurve_init(void)
{
	int i;

	fc_root = proc_mkdir("fancurve", NULL);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (!steps[i].percent)
			continue;
		steps[i].entry = proc_create_single_data(steps[i].name, 0444, fc_root, step_show, &steps[i]);
	}
	return 0;
}

static void __exit fancurve_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++)
		remove_proc_entry(steps[i].name, fc_root); /* @call */
	remove_proc_entry("fancurve", NULL);
}

module_init(fancurve_init);
module_exit(fancurve_exit);
MODULE_LICENSE("GPL");
