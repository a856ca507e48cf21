// SPDX-License-Identifier: GPL-2.0
/* tlvread: walks the records of a board's identity store. */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

struct tlv {
	u16 type;
	u16 size;		/* of header and value, in bytes */
	u32 check;
	u8 value[];
};

struct tlv_store {
	void *data;
	size_t used;
};

static struct tlv_store store;

static const struct tlv *tlv_next(const struct tlv *t)
{
	return t + t->size; /* @origin */
}

static unsigned int tlv_count(const struct tlv_store *s, u16 type)
{
	const struct tlv *t = s->data;
	unsigned int n = 0;

	for (; t->type != 0xffff; t = tlv_next(t)) /* @fault */
		if (t->type == type)
			n++;
	return n;
}

static int tlv_show(struct seq_file *m, void *v)
{
	seq_printf(m, "%u\n", tlv_count(m->private, 2));
	return 0;
}

static void tlv_append(struct tlv_store *s, u16 type, const char *text)
{
	struct tlv *t = s->data + s->used;

	t->type = type;
	t->size = ALIGN(sizeof(*t) + strlen(text) + 1, 8);
	strcpy(t->value, text);
	s->used += t->size;
}

static int __init tlvread_init(void)
{
	store.data = vzalloc(PAGE_SIZE);
	if (!store.data)
		return -ENOMEM;
	tlv_append(&store, 1, "carrier board");
	tlv_append(&store, 2, "sn 0047-1184 made in the north plant, second line, before the relocation");
	tlv_append(&store, 0xffff, "");
	memset(store.data + store.used, 0xa1, PAGE_SIZE - store.used);
	return proc_create_single_data("tlvread", 0444, NULL, tlv_show, &store) ? 0 : -ENOMEM;
}

static void __exit tlvread_exit(void)
{
	remove_proc_entry("tlvread", NULL);
	vfree(store.data);
}

module_init(tlvread_init);
module_exit(tlvread_exit);
MODULE_LICENSE("GPL");
