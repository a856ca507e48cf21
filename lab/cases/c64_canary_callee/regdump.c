// SPDX-License-Identifier: GPL-2.0
/* regdump: prints registers of a block; the width of a row is up to the user. */
#include <linux/debugfs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

struct rd_row {
	u16 width;
	u16 first;
	u32 words[8];
};

struct rd_block {
	u32 base;
	u32 nr;
	u32 *shadow;
};

static struct rd_block *block;
static struct dentry *rd_dir;

/* Copies the registers of one row. */
static noinline void rd_collect(const struct rd_block *b, struct rd_row *row)
{
	unsigned int i;

	for (i = 0; i < row->width; i++)
		row->words[i] = b->shadow[(row->first + i) % b->nr]; /* @origin */
}

static noinline u32 rd_checksum(const struct rd_block *b, u16 first, u16 width)
{
	struct rd_row row = { .width = width, .first = first };
	u32 sum = 0;
	int i;

	rd_collect(b, &row);
	for (i = 0; i < ARRAY_SIZE(row.words); i++)
		sum = (sum << 1 | sum >> 31) ^ row.words[i];
	return sum;
}

static int sum_set(void *data, u64 value)
{
	struct rd_block *b = data;

	b->shadow[0] = rd_checksum(b, value & 0xff, value >> 8);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(sum_fops, NULL, sum_set, "%llu\n");

static int __init regdump_init(void)
{
	int i;

	block = kzalloc(sizeof(*block), GFP_KERNEL);
	if (!block)
		return -ENOMEM;
	block->nr = 64;
	block->shadow = kcalloc(block->nr, sizeof(u32), GFP_KERNEL);
	if (!block->shadow)
		return -ENOMEM;
	for (i = 0; i < block->nr; i++)
		block->shadow[i] = 0x01010101 * i;
	rd_dir = debugfs_create_dir("regdump", NULL);
	debugfs_create_file_unsafe("sum", 0200, rd_dir, block, &sum_fops);
	return 0;
}

static void __exit regdump_exit(void)
{
	debugfs_remove_recursive(rd_dir);
}

module_init(regdump_init);
module_exit(regdump_exit);
MODULE_LICENSE("GPL");
