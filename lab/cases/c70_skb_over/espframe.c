// SPDX-License-Identifier: GPL-2.0
/* espframe: builds test frames with a trailer. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

struct esp_trailer {
	u8 pad;
	u8 next;
	__be16 tag;
	u8 icv[12];
};

static struct dentry *esp_dir;

static void esp_finish(struct sk_buff *skb, u8 next)
{
	struct esp_trailer *t;
	unsigned int pad = round_up(skb->len + 2, 64) - skb->len;

	skb_put_zero(skb, pad);
	t = skb_put(skb, sizeof(*t)); /* @call */
	memset(t, 0, sizeof(*t));
	t->pad = pad;
	t->next = next;
}

static int build_set(void *data, u64 len)
{
	struct sk_buff *skb = alloc_skb(NET_SKB_PAD + len + sizeof(struct esp_trailer), GFP_KERNEL); /* @origin */

	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, NET_SKB_PAD);
	skb_put_zero(skb, len);
	esp_finish(skb, 4);
	kfree_skb(skb);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(build_fops, NULL, build_set, "%llu\n");

static int __init espframe_init(void)
{
	esp_dir = debugfs_create_dir("espframe", NULL);
	debugfs_create_file_unsafe("build", 0200, esp_dir, NULL, &build_fops);
	return 0;
}

static void __exit espframe_exit(void)
{
	debugfs_remove_recursive(esp_dir);
}

module_init(espframe_init);
module_exit(espframe_exit);
MODULE_LICENSE("GPL");
