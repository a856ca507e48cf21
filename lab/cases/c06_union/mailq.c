// SPDX-License-Identifier: GPL-2.0
/* mailq: messages to a coprocessor; a message carries an inline word or a buffer. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

enum mq_kind { MQ_WORD, MQ_BUFFER };

struct mq_buffer {
	u32 len;
	u32 flags;
	u8 *bytes;
};

struct mq_msg {
	enum mq_kind kind;
	u16 channel;
	union {
		u64 word;
		struct mq_buffer *buffer;
	} body;
};

static struct dentry *mq_dir;

static struct mq_msg *mq_word(u16 channel, u64 word)
{
	struct mq_msg *msg = kzalloc(sizeof(*msg), GFP_KERNEL);

	if (msg) {
		msg->kind = MQ_WORD;
		msg->channel = channel;
		msg->body.word = word; /* @origin */
	}
	return msg;
}

static noinline size_t mq_cost(struct mq_msg *msg)
{
	/* Channels above 7 were buffers only, once. */
	if (msg->channel < 8)
		return sizeof(u64);
	return msg->body.buffer->flags + sizeof(struct mq_buffer); /* @fault */
}

static int mq_set(void *data, u64 value)
{
	struct mq_msg *msg = mq_word(value & 15, value >> 4);

	if (!msg)
		return -ENOMEM;
	pr_info("mailq: cost %zu\n", mq_cost(msg));
	kfree(msg);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(mq_fops, NULL, mq_set, "%llx\n");

static int __init mq_init(void)
{
	mq_dir = debugfs_create_dir("mailq", NULL);
	debugfs_create_file_unsafe("send", 0200, mq_dir, NULL, &mq_fops);
	return 0;
}

static void __exit mq_exit(void)
{
	debugfs_remove_recursive(mq_dir);
}

module_init(mq_init);
module_exit(mq_exit);
MODULE_LICENSE("GPL");
