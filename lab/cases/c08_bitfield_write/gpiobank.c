// SPDX-License-Identifier: GPL-2.0
/* gpiobank: pins of a port expander. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

struct gb_pin {
	const char *label;
	u16 number;
	u16 irq;
	unsigned int output : 1;
	unsigned int value : 1;
	unsigned int drive : 4;
	unsigned int debounce : 10;
};

struct gb_bank {
	unsigned int count;
	struct gb_pin *pins[32];
};

static struct gb_bank *gb_main;
static struct dentry *gb_dir;

static struct gb_pin *gb_pin(struct gb_bank *bank, unsigned int number)
{
	return number < 32 ? bank->pins[number] : NULL;
}

static noinline void gb_drive(struct gb_bank *bank, unsigned int number, unsigned int strength)
{
	struct gb_pin *pin = gb_pin(bank, number); /* @origin */

	pin->drive = strength; /* @fault */
}

static int gb_set(void *data, u64 value)
{
	gb_drive(data, value >> 8, value & 15);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(gb_fops, NULL, gb_set, "%llx\n");

static int __init gb_init(void)
{
	unsigned int i;

	gb_main = kzalloc(sizeof(*gb_main), GFP_KERNEL);
	if (!gb_main)
		return -ENOMEM;
	for (i = 0; i < 8; i++) {
		struct gb_pin *pin = kzalloc(sizeof(*pin), GFP_KERNEL);

		if (!pin)
			break;
		pin->number = i;
		gb_main->pins[gb_main->count++] = pin;
	}
	gb_dir = debugfs_create_dir("gpiobank", NULL);
	debugfs_create_file_unsafe("drive", 0200, gb_dir, gb_main, &gb_fops);
	return 0;
}

static void __exit gb_exit(void)
{
	debugfs_remove_recursive(gb_dir);
}

module_init(gb_init);
module_exit(gb_exit);
MODULE_LICENSE("GPL");
