// SPDX-License-Identifier: GPL-2.0
/* framecap: a frame of samples that user space fills by runs. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

struct sample {
	u16 left, right;
};

struct frame {
	u32 count;
	u32 used;
	struct sample *samples;
};

static struct frame frame;

static void frame_run(struct frame *fr, struct sample s, u32 run)
{
	u32 i;

	for (i = 0; i < run; i++)
		fr->samples[fr->used + i] = s; /* @fault */
	fr->used += run;
}

static ssize_t frame_write(struct file *file, const char __user *buf, size_t len, loff_t *ppos)
{
	char line[32];
	struct sample s;
	u32 run;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, buf, len))
		return -EFAULT;
	line[len] = '\0';
	if (sscanf(line, "%u %hu %hu", &run, &s.left, &s.right) != 3)
		return -EINVAL;
	if (run > frame.count)
		return -ENOSPC;
	frame_run(&frame, s, run);
	return len;
}

static const struct proc_ops frame_proc = {
	.proc_write = frame_write,
};

static int __init framecap_init(void)
{
	frame.count = 4096;
	frame.samples = vzalloc(frame.count * sizeof(*frame.samples));
	if (!frame.samples)
		return -ENOMEM;
	proc_create("framecap", 0200, NULL, &frame_proc);
	return 0;
}

module_init(framecap_init);
MODULE_LICENSE("GPL");
