// SPDX-License-Identifier: GPL-2.0
/* cookiejar: requests are known to the device by a cookie of 32 bits. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct cj_req {
	u16 op;
	u16 flags;
	u32 asked;
	void (*done)(struct cj_req *req, u32 len);
};

struct cj_desc {
	u32 cookie;
	u32 len;
};

static struct cj_desc ring[16];
static unsigned int ring_head;
static struct dentry *cj_dir;

static void cj_done(struct cj_req *req, u32 len)
{
	if (len < req->asked)
		pr_info("cookiejar: short by %u\n", req->asked - len);
	kfree(req);
}

static void cj_post(struct cj_req *req, u32 len)
{
	struct cj_desc *d = &ring[ring_head++ % ARRAY_SIZE(ring)];

	d->cookie = (u32)(uintptr_t)req; /* @origin */
	d->len = len;
}

static noinline void cj_reap(const struct cj_desc *d)
{
	struct cj_req *req = (struct cj_req *)(uintptr_t)d->cookie;

	req->done(req, d->len); /* @fault */
}

static int io_set(void *data, u64 len)
{
	struct cj_req *req = kzalloc(sizeof(*req), GFP_KERNEL);

	if (!req)
		return -ENOMEM;
	req->op = len & 3;
	req->asked = len;
	req->done = cj_done;
	cj_post(req, len);
	cj_reap(&ring[(ring_head - 1) % ARRAY_SIZE(ring)]);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(io_fops, NULL, io_set, "%llu\n");

static int __init cookiejar_init(void)
{
	cj_dir = debugfs_create_dir("cookiejar", NULL);
	debugfs_create_file_unsafe("io", 0200, cj_dir, NULL, &io_fops);
	return 0;
}

static void __exit cookiejar_exit(void)
{
	debugfs_remove_recursive(cj_dir);
}

module_init(cookiejar_init);
module_exit(cookiejar_exit);
MODULE_LICENSE("GPL");
