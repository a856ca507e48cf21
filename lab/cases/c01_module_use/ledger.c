// SPDX-License-Identifier: GPL-2.0
/* ledger: keeps named counters for other modules. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#define LEDGER_ROWS 16

struct ledger_row {
	char name[24];
	s64 balance;
};

static struct ledger_row ledger_rows[LEDGER_ROWS];
static DEFINE_MUTEX(ledger_lock);

int ledger_book(const char *name, s64 amount)
{
	int i, ret = -ENOSPC;

	mutex_lock(&ledger_lock);
	for (i = 0; i < LEDGER_ROWS; i++) {
		struct ledger_row *row = &ledger_rows[i];

		if (row->name[0] && strcmp(row->name, name))
			continue;
		strscpy(row->name, name, sizeof(row->name));
		row->balance += amount;
		ret = 0;
		break;
	}
	mutex_unlock(&ledger_lock);
	return ret;
}
EXPORT_SYMBOL_GPL(ledger_book);

static int __init ledger_init(void)
{
	pr_info("ledger: %d rows\n", LEDGER_ROWS);
	return 0;
}

static void __exit ledger_exit(void)
{
}

module_init(ledger_init);
module_exit(ledger_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("named counters");
