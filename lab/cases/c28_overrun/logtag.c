// SPDX-License-Identifier: GPL-2.0
/* logtag: tags log lines; a tag has a short name and a sink. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct lt_sink {
	u64 lines;
	u64 bytes;
};

struct lt_tag {
	u32 level;
	char name[12];
	struct lt_sink *sink;
};

static struct lt_sink lt_console;
static struct lt_tag *lt_main;
static struct dentry *lt_dir;

static noinline void lt_rename(struct lt_tag *tag, const char *name)
{
	int i;

	for (i = 0; name[i]; i++)
		tag->name[i] = name[i]; /* @origin */
}

static noinline void lt_emit(struct lt_tag *tag, u32 bytes)
{
	tag->sink->bytes += bytes; /* @fault */
	tag->sink->lines++;
}

static int lt_set(void *data, u64 value)
{
	if (value > 80)
		lt_rename(lt_main, "subsystem/deviceX");
	lt_emit(lt_main, value);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(lt_fops, NULL, lt_set, "%llu\n");

static int __init lt_init(void)
{
	lt_main = kzalloc(sizeof(*lt_main), GFP_KERNEL);
	if (!lt_main)
		return -ENOMEM;
	lt_main->sink = &lt_console;
	lt_dir = debugfs_create_dir("logtag", NULL);
	debugfs_create_file_unsafe("emit", 0200, lt_dir, NULL, &lt_fops);
	return 0;
}

static void __exit lt_exit(void)
{
	debugfs_remove_recursive(lt_dir);
	kfree(lt_main);
}

module_init(lt_init);
module_exit(lt_exit);
MODULE_LICENSE("GPL");
