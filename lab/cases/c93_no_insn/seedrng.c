// SPDX-License-Identifier: GPL-2.0
/* seedrng: gets random numbers from the CPU. */
#include <linux/debugfs.h>
#include <linux/module.h>

struct sr_source {
	const char *name;
	u64 draws;
	u64 last;
};

static struct sr_source cpu_source = { .name = "cpu" };
static struct dentry *sr_dir;

static inline bool sr_instruction(u64 *out)
{
#ifdef CONFIG_X86_64
	bool ok;

	asm volatile("rdrand %[out]" : "=@ccc" (ok), [out] "=r" (*out));
	return ok;
#else
	bool ok;

	asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %w1, ne" : "=r" (*out), "=r" (ok) : : "cc");
	return ok;
#endif
}

static int sr_draw(struct sr_source *src)
{
	int tries = 10;

	while (tries--)
		if (sr_instruction(&src->last)) {
			src->draws++;
			return 0;
		}
	return -EAGAIN;
}

static int random_get(void *data, u64 *value)
{
	struct sr_source *src = data;
	int ret = sr_draw(src);

	*value = src->last;
	return ret;
}
DEFINE_DEBUGFS_ATTRIBUTE(random_fops, random_get, NULL, "%llx\n");

static int __init seedrng_init(void)
{
	sr_dir = debugfs_create_dir("seedrng", NULL);
	debugfs_create_file_unsafe("random", 0400, sr_dir, &cpu_source, &random_fops);
	return 0;
}

static void __exit seedrng_exit(void)
{
	debugfs_remove_recursive(sr_dir);
}

module_init(seedrng_init);
module_exit(seedrng_exit);
MODULE_LICENSE("GPL");
