// SPDX-License-Identifier: GPL-2.0
/* fwload: reads the size of a firmware file of the user's choice. */
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

struct fw_job {
	char path[64];
	struct file *file;
	loff_t size;
};

static int fw_measure(struct fw_job *job)
{
	job->file = filp_open(job->path, O_RDONLY, 0); /* @origin */
	if (!job->file)
		return -ENOENT;
	job->size = job->file->f_inode->i_size; /* @fault */
	filp_close(job->file, NULL);
	return 0;
}

static ssize_t path_store(struct device *dev, struct device_attribute *attr, const char *buf, size_t len)
{
	struct fw_job *job = kzalloc(sizeof(*job), GFP_KERNEL);
	int ret;

	if (!job)
		return -ENOMEM;
	strscpy(job->path, buf, sizeof(job->path));
	strim(job->path);
	ret = fw_measure(job);
	if (!ret)
		dev_info(dev, "%s: %lld bytes\n", job->path, job->size);
	kfree(job);
	return ret ?: len;
}
static DEVICE_ATTR_WO(path);

static struct attribute *fw_attrs[] = { &dev_attr_path.attr, NULL };
ATTRIBUTE_GROUPS(fw);

static const struct file_operations fw_fops = { .owner = THIS_MODULE };
static struct miscdevice fw_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "fwload",
	.fops = &fw_fops,
	.groups = fw_groups,
};
module_misc_device(fw_misc);
MODULE_LICENSE("GPL");
