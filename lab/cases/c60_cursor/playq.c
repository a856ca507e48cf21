// SPDX-License-Identifier: GPL-2.0
/* playq: a queue of tracks with a cursor that "next" moves on. */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

struct track {
	char *title;
	u32 seconds;
	struct list_head entry;
};

struct player {
	struct list_head queue;
	struct track *cursor;
	struct mutex lock;
	u32 played;
};

static struct player player;

static void player_next(struct player *p)
{
	p->played += p->cursor->seconds;
	p->cursor = list_next_entry(p->cursor, entry);
	if (p->cursor->title) /* @fault */
		pr_info("playq: %s\n", p->cursor->title);
}

static int player_drop(struct player *p, const char *title)
{
	struct track *t, *tmp;

	list_for_each_entry_safe(t, tmp, &p->queue, entry) {
		if (strcmp(t->title, title))
			continue;
		list_del(&t->entry); /* @origin */
		return 0;
	}
	return -ENOENT;
}

static int player_add(struct player *p, const char *title)
{
	struct track *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	t->title = kstrdup(title, GFP_KERNEL);
	t->seconds = 180;
	list_add_tail(&t->entry, &p->queue);
	if (!p->cursor)
		p->cursor = t;
	return 0;
}

static int cmd_set(const char *val, const struct kernel_param *kp)
{
	struct player *p = kp->arg;
	char *line = kstrdup(val, GFP_KERNEL), *arg = line, *cmd;
	int ret = 0;

	if (!line)
		return -ENOMEM;
	cmd = strsep(&arg, " ");
	if (arg)
		strim(arg);
	mutex_lock(&p->lock);
	if (!strcmp(cmd, "add") && arg)
		ret = player_add(p, arg);
	else if (!strcmp(cmd, "drop") && arg)
		ret = player_drop(p, arg);
	else
		player_next(p);
	mutex_unlock(&p->lock);
	kfree(line);
	return ret;
}

static const struct kernel_param_ops cmd_ops = { .set = cmd_set };
module_param_cb(cmd, &cmd_ops, &player, 0200);

static int __init playq_init(void)
{
	INIT_LIST_HEAD(&player.queue);
	mutex_init(&player.lock);
	return 0;
}

module_init(playq_init);
MODULE_LICENSE("GPL");
