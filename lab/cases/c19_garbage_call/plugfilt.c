// SPDX-License-Identifier: GPL-2.0
/* plugfilt: filters that plug into a chain; their callback is kept next to their name. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct pf_filter {
	char name[16];
	int (*apply)(struct pf_filter *filter, int sample);
	int gain;
};

static struct pf_filter *pf_chain[2];
static struct dentry *pf_dir;

static int pf_amplify(struct pf_filter *filter, int sample)
{
	return sample * filter->gain;
}

static noinline void pf_rename(struct pf_filter *filter, const char *name)
{
	char *to = filter->name;

	/* The name may be longer than its place. */
	while (*name)
		*to++ = *name++; /* @origin */
}

static noinline int pf_run(struct pf_filter *filter, int sample)
{
	int out = filter->apply(filter, sample); /* @fault */

	return out > 100 ? 100 : out;
}

static int pf_set(void *data, u64 value)
{
	if (value > 1000)
		pf_rename(pf_chain[1], "loudness-and-bass-boost!");
	pr_info("plugfilt: %d\n", pf_run(pf_chain[value & 1], value & 15));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(pf_fops, NULL, pf_set, "%llu\n");

static int __init pf_init(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		pf_chain[i] = kzalloc(sizeof(*pf_chain[i]), GFP_KERNEL);
		if (!pf_chain[i])
			return -ENOMEM;
		pf_chain[i]->apply = pf_amplify;
		pf_chain[i]->gain = 3;
	}
	pf_dir = debugfs_create_dir("plugfilt", NULL);
	debugfs_create_file_unsafe("run", 0200, pf_dir, NULL, &pf_fops);
	return 0;
}

static void __exit pf_exit(void)
{
	debugfs_remove_recursive(pf_dir);
}

module_init(pf_init);
module_exit(pf_exit);
MODULE_LICENSE("GPL");
