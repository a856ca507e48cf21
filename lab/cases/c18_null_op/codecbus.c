// SPDX-License-Identifier: GPL-2.0
/* codecbus: audio codecs behind one table of operations each. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct codec;

struct codec_ops {
	int (*probe)(struct codec *codec);
	int (*volume)(struct codec *codec, int level);
	int (*mute)(struct codec *codec, bool on);
};

struct codec {
	u32 id;
	int level;
	const struct codec_ops *ops;
};

static int tone_volume(struct codec *codec, int level)
{
	codec->level = level;
	return 0;
}

static int tone_mute(struct codec *codec, bool on)
{
	codec->level = on ? 0 : codec->level;
	return 0;
}

static const struct codec_ops tone_ops = { .volume = tone_volume, .mute = tone_mute };
static const struct codec_ops beep_ops = { .volume = tone_volume }; /* @origin */

static struct codec *codecs[2];
static struct dentry *codec_dir;

static noinline int codec_mute(struct codec *codec, bool on)
{
	int ret = codec->ops->mute(codec, on); /* @fault */

	if (ret)
		pr_err("codecbus: codec %u: %d\n", codec->id, ret);
	return ret;
}

static int codec_set(void *data, u64 value)
{
	return codec_mute(codecs[value & 1], value >> 1);
}
DEFINE_DEBUGFS_ATTRIBUTE(codec_fops, NULL, codec_set, "%llu\n");

static int __init codec_init(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		codecs[i] = kzalloc(sizeof(*codecs[i]), GFP_KERNEL);
		if (!codecs[i])
			return -ENOMEM;
		codecs[i]->id = i;
		codecs[i]->ops = i ? &beep_ops : &tone_ops;
	}
	codec_dir = debugfs_create_dir("codecbus", NULL);
	debugfs_create_file_unsafe("mute", 0200, codec_dir, NULL, &codec_fops);
	return 0;
}

static void __exit codec_exit(void)
{
	debugfs_remove_recursive(codec_dir);
}

module_init(codec_init);
module_exit(codec_exit);
MODULE_LICENSE("GPL");
