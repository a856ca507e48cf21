// SPDX-License-Identifier: GPL-2.0
/* lednames: joins the parts of a LED's name. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

struct led_part {
	const char *colour;
	const char *function;
};

static const struct led_part parts[] = {
	{ "red", "disk" },
	{ "green", "power" },
	{ "amber", "fault-indicator of the left power supply: steady when its input is lost, blinking when its fan is slow or its output is low" },
};

static struct dentry *led_dir;

static char *led_name(const struct led_part *part)
{
	size_t len = strlen(part->colour) + strlen(part->function);
	char *name = kmalloc(len, GFP_KERNEL), *p = name;
	const char *s;

	if (!name)
		return NULL;
	for (s = part->colour; *s; s++)
		*p++ = *s;
	*p++ = ':';
	for (s = part->function; *s; s++)
		*p++ = *s;
	*p = '\0'; /* @origin */
	return name;
}

static int names_show(struct seq_file *m, void *v)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		char *name = led_name(&parts[i]);

		if (!name)
			return -ENOMEM;
		seq_printf(m, "%s\n", name);
		kfree(name); /* @call */
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(names);

static int __init lednames_init(void)
{
	led_dir = debugfs_create_dir("lednames", NULL);
	debugfs_create_file("names", 0400, led_dir, NULL, &names_fops);
	return 0;
}

static void __exit lednames_exit(void)
{
	debugfs_remove_recursive(led_dir);
}

module_init(lednames_init);
module_exit(lednames_exit);
MODULE_LICENSE("GPL");
