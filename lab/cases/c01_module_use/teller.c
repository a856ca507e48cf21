// SPDX-License-Identifier: GPL-2.0
/* teller: a well-behaved user of ledger; it is being loaded when the kernel dies. */
#include <linux/module.h>

int ledger_book(const char *name, s64 amount);

static int __init teller_init(void)
{
	return ledger_book("till", 100);
}

static void __exit teller_exit(void)
{
}

module_init(teller_init);
module_exit(teller_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("user of ledger");
