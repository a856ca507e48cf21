// SPDX-License-Identifier: GPL-2.0
/* certbox: loads a certificate: a header and a body. */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/string.h>

struct cert_body {
	size_t len;
	char text[];
};

struct cert {
	char *subject;
	struct cert_body *body;
};

static void cert_free(struct cert *c)
{
	kfree(c->body);
	kfree(c->subject); /* @call */
	kfree(c);
}

static struct cert_body *cert_parse(struct cert *c, const char *pem)
{
	struct cert_body *b;
	size_t len = strlen(pem);

	if (len < 24) {
		kfree(c->subject); /* @origin */
		return ERR_PTR(-EBADMSG);
	}
	b = kmalloc(struct_size(b, text, len + 1), GFP_KERNEL);
	if (!b)
		return ERR_PTR(-ENOMEM);
	b->len = len;
	memcpy(b->text, pem, len + 1);
	return b;
}

static struct cert *cert_load(const char *subject, const char *pem)
{
	struct cert_body *body;
	struct cert *c = kzalloc(sizeof(*c), GFP_KERNEL);

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->subject = kstrdup(subject, GFP_KERNEL);
	body = cert_parse(c, pem);
	if (IS_ERR(body)) {
		cert_free(c);
		return ERR_CAST(body);
	}
	c->body = body;
	return c;
}

static int load_set(const char *val, const struct kernel_param *kp)
{
	struct cert *c = cert_load("CN=device 00:17:88:01:10:3f:aa:b4, OU=field, O=lab", val);

	if (IS_ERR(c))
		return PTR_ERR(c);
	cert_free(c);
	return 0;
}
static const struct kernel_param_ops load_ops = { .set = load_set };
module_param_cb(load, &load_ops, NULL, 0200);

static int __init certbox_init(void)
{
	return 0;
}

module_init(certbox_init);
MODULE_LICENSE("GPL");
