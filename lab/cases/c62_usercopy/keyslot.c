// SPDX-License-Identifier: GPL-2.0
/* keyslot: hands a stored blob to user space. */
#include <linux/cdev.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct key_blob {
	u16 type;
	u16 len;
	u8 data[36];
};

static struct dentry *key_dir;

static ssize_t key_read(struct file *file, char __user *ubuf, size_t count, loff_t *ppos)
{
	struct key_blob *blob = file->private_data;

	if (*ppos)
		return 0;
	if (count > PAGE_SIZE)
		count = PAGE_SIZE;
	/* the reader knows how much it wants */
	if (copy_to_user(ubuf, blob->data, count)) /* @call */
		return -EFAULT;
	*ppos = count;
	return count;
}

static const struct file_operations key_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = key_read,
};

static int __init keyslot_init(void)
{
	struct key_blob *blob = kzalloc(sizeof(*blob), GFP_KERNEL);

	if (!blob)
		return -ENOMEM;
	blob->type = 3;
	blob->len = 32;
	memset(blob->data, 'k', blob->len);
	key_dir = debugfs_create_dir("keyslot", NULL);
	debugfs_create_file("0", 0400, key_dir, blob, &key_fops);
	return 0;
}

static void __exit keyslot_exit(void)
{
	debugfs_remove_recursive(key_dir);
}

module_init(keyslot_init);
module_exit(keyslot_exit);
MODULE_LICENSE("GPL");
