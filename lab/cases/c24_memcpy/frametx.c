// SPDX-License-Identifier: GPL-2.0
/* frametx: copies frames into a transmit window. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

struct ft_frame {
	u16 proto;
	u16 length;
	u8 *payload;
};

static u8 ft_window[2048];
static struct dentry *ft_dir;

static struct ft_frame *ft_alloc(u16 length, bool zero_copy)
{
	struct ft_frame *frame = kzalloc(sizeof(*frame), GFP_KERNEL); /* @origin */

	if (!frame)
		return NULL;
	frame->length = length;
	/* A zero-copy frame gets its payload later. */
	if (!zero_copy)
		frame->payload = kzalloc(length, GFP_KERNEL);
	return frame;
}

static noinline int ft_send(struct ft_frame *frame)
{
	if (frame->length > sizeof(ft_window))
		return -EMSGSIZE;
	memcpy(ft_window, frame->payload, frame->length); /* @call */
	return ft_window[0];
}

static int ft_set(void *data, u64 value)
{
	struct ft_frame *frame = ft_alloc(value & 0xfff, value >> 12);

	if (!frame)
		return -ENOMEM;
	pr_info("frametx: %d\n", ft_send(frame));
	kfree(frame->payload);
	kfree(frame);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(ft_fops, NULL, ft_set, "%llx\n");

static int __init ft_init(void)
{
	ft_dir = debugfs_create_dir("frametx", NULL);
	debugfs_create_file_unsafe("send", 0200, ft_dir, NULL, &ft_fops);
	return 0;
}

static void __exit ft_exit(void)
{
	debugfs_remove_recursive(ft_dir);
}

module_init(ft_init);
module_exit(ft_exit);
MODULE_LICENSE("GPL");
