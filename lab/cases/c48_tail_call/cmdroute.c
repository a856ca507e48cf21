// SPDX-License-Identifier: GPL-2.0
/* cmdroute: routes commands to handlers, each the last call of the one before. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct cm_target {
	u32 id;
	u32 accepted;
	u64 last;
};

struct cm_command {
	u32 code;
	u32 length;
	struct cm_target *target;
};

static struct cm_target *cm_targets[4];
static struct dentry *cm_dir;

static noinline int cm_accept(struct cm_command *cmd, u64 now)
{
	cmd->target->last = now; /* @fault */
	return cmd->target->accepted++;
}

static noinline int cm_check(struct cm_command *cmd, u64 now)
{
	if (cmd->length > 64)
		return -E2BIG;
	return cm_accept(cmd, now + 1);
}

static noinline int cm_route(struct cm_command *cmd, u64 now)
{
	cmd->target = cm_targets[cmd->code & 3]; /* @origin */
	return cm_check(cmd, now + cmd->length);
}

static int cm_set(void *data, u64 value)
{
	struct cm_command cmd = { .code = value & 7, .length = value >> 3 };

	pr_info("cmdroute: %d\n", cm_route(&cmd, value));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(cm_fops, NULL, cm_set, "%llu\n");

static int __init cm_init(void)
{
	int i;

	for (i = 0; i < 3; i++)
		cm_targets[i] = kzalloc(sizeof(struct cm_target), GFP_KERNEL);
	cm_dir = debugfs_create_dir("cmdroute", NULL);
	debugfs_create_file_unsafe("command", 0200, cm_dir, NULL, &cm_fops);
	return 0;
}

static void __exit cm_exit(void)
{
	debugfs_remove_recursive(cm_dir);
}

module_init(cm_init);
module_exit(cm_exit);
MODULE_LICENSE("GPL");
