// SPDX-License-Identifier: GPL-2.0
/* wdtreg: feeds a board's watchdog, whose registers are at a fixed place. */
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

#define WDT_BASE 0xfed80b00UL

struct wdt_regs {
	u32 control;
	u32 reload;
	u32 count;
	u32 feed;
};

struct wdt {
	const char *board;
	volatile struct wdt_regs *regs;
	u32 fed;
};

static struct wdt wdt = {
	.board = "rev-c",
	.regs = (volatile struct wdt_regs *)WDT_BASE, /* @origin */
};

static u32 wdt_left(struct wdt *w)
{
	return w->regs->count; /* @fault */
}

static int wdt_show(struct seq_file *m, void *v)
{
	struct wdt *w = m->private;

	seq_printf(m, "%s %u\n", w->board, wdt_left(w));
	return 0;
}

static int __init wdtreg_init(void)
{
	return proc_create_single_data("wdtreg", 0444, NULL, wdt_show, &wdt) ? 0 : -ENOMEM;
}

static void __exit wdtreg_exit(void)
{
	remove_proc_entry("wdtreg", NULL);
}

module_init(wdtreg_init);
module_exit(wdtreg_exit);
MODULE_LICENSE("GPL");
