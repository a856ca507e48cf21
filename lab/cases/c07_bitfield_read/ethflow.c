// SPDX-License-Identifier: GPL-2.0
/* ethflow: classifies flows by their header's priority. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct ef_header {
	u64 cookie;
	u32 src;
	u32 proto : 8;
	u32 prio : 3;
	u32 marked : 1;
	u32 label : 20;
};

struct ef_flow {
	u32 hash;
	u32 packets;
	struct ef_header *header;
};

static struct ef_flow *ef_flows[4];
static struct dentry *ef_dir;

static noinline unsigned int ef_class(const struct ef_flow *flow)
{
	unsigned int prio = flow->header->prio; /* @fault */

	return prio > 5 ? 2 : prio > 2;
}

static int ef_set(void *data, u64 index)
{
	struct ef_flow *flow = ef_flows[index & 3];

	if (!flow)
		return -ENOENT;
	pr_info("ethflow: class %u\n", ef_class(flow));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ef_fops, NULL, ef_set, "%llu\n");

static int __init ef_init(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		ef_flows[i] = kzalloc(sizeof(*ef_flows[i]), GFP_KERNEL); /* @origin */
		if (!ef_flows[i])
			return -ENOMEM;
		if (i < 2)
			ef_flows[i]->header = kzalloc(sizeof(struct ef_header), GFP_KERNEL);
	}
	ef_dir = debugfs_create_dir("ethflow", NULL);
	debugfs_create_file_unsafe("classify", 0200, ef_dir, NULL, &ef_fops);
	return 0;
}

static void __exit ef_exit(void)
{
	debugfs_remove_recursive(ef_dir);
}

module_init(ef_init);
module_exit(ef_exit);
MODULE_LICENSE("GPL");
