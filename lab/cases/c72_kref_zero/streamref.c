// SPDX-License-Identifier: GPL-2.0
/* streamref: streams found by id in an xarray, counted by kref. */
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct stream {
	unsigned long id;
	struct kref ref;
	struct work_struct teardown;
	u64 frames;
};

static DEFINE_XARRAY(streams);

static void stream_teardown(struct work_struct *work)
{
	struct stream *s = container_of(work, struct stream, teardown);

	pr_info("streamref: %lu had %llu frames\n", s->id, s->frames);
}

static void stream_last(struct kref *ref)
{
	struct stream *s = container_of(ref, struct stream, ref);

	/* the slow part is done later; erased from the array then */
	schedule_work(&s->teardown);
}

static struct stream *stream_get(unsigned long id)
{
	struct stream *s = xa_load(&streams, id);

	if (s)
		kref_get(&s->ref); /* @call */
	return s;
}

static int open_set(const char *val, const struct kernel_param *kp)
{
	struct stream *s;
	int ret;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	kref_init(&s->ref);
	INIT_WORK(&s->teardown, stream_teardown);
	ret = kstrtoul(val, 0, &s->id);
	return ret ?: xa_err(xa_store(&streams, s->id, s, GFP_KERNEL));
}

static int frame_set(const char *val, const struct kernel_param *kp)
{
	unsigned long id;
	struct stream *s;

	if (kstrtoul(val, 0, &id))
		return -EINVAL;
	s = stream_get(id);
	if (!s)
		return -ENOENT;
	s->frames++;
	kref_put(&s->ref, stream_last);
	return 0;
}

static int close_set(const char *val, const struct kernel_param *kp)
{
	unsigned long id;
	struct stream *s;

	if (kstrtoul(val, 0, &id))
		return -EINVAL;
	s = xa_load(&streams, id);
	if (s)
		kref_put(&s->ref, stream_last);
	return s ? 0 : -ENOENT;
}

static const struct kernel_param_ops open_ops = { .set = open_set };
static const struct kernel_param_ops frame_ops = { .set = frame_set };
static const struct kernel_param_ops close_ops = { .set = close_set };
module_param_cb(open, &open_ops, NULL, 0200);
module_param_cb(frame, &frame_ops, NULL, 0200);
module_param_cb(close, &close_ops, NULL, 0200);

static int __init streamref_init(void)
{
	return 0;
}

module_init(streamref_init);
MODULE_LICENSE("GPL");
