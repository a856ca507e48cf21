// SPDX-License-Identifier: GPL-2.0
/* duty: sets the duty cycle of a PWM by a number in percent. */
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

struct pwm_out {
	u32 period_ns;
	u32 duty_ns;
	struct mutex lock;
};

static struct dentry *duty_dir;

static int pwm_scale(struct pwm_out *pwm, const char *text)
{
	unsigned int percent;
	int ret;

	ret = kstrtouint(text, 10, &percent); /* @call */
	if (ret || percent > 100)
		return ret ?: -ERANGE;
	mutex_lock(&pwm->lock);
	pwm->duty_ns = pwm->period_ns / 100 * percent;
	mutex_unlock(&pwm->lock);
	return 0;
}

static ssize_t duty_write(struct file *file, const char __user *buf, size_t len, loff_t *pos)
{
	int ret = pwm_scale(file->private_data, (const char *)buf); /* @origin */

	return ret ?: len;
}

static const struct file_operations duty_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = duty_write,
};

static int __init duty_init(void)
{
	struct pwm_out *pwm = kzalloc(sizeof(*pwm), GFP_KERNEL);

	if (!pwm)
		return -ENOMEM;
	mutex_init(&pwm->lock);
	pwm->period_ns = 1000000;
	duty_dir = debugfs_create_dir("duty", NULL);
	debugfs_create_file("percent", 0200, duty_dir, pwm, &duty_fops);
	return 0;
}

static void __exit duty_exit(void)
{
	debugfs_remove_recursive(duty_dir);
}

module_init(duty_init);
module_exit(duty_exit);
MODULE_LICENSE("GPL");
