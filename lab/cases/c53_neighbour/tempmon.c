// SPDX-License-Identifier: GPL-2.0
/* tempmon: channels of temperature sensors, with an alarm each. */
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>

struct tm_alarm {
	int low;
	int high;
	unsigned int raised;
};

struct tm_channel {
	struct tm_alarm *alarm;
	int celsius;
	unsigned int nr;
	char label[104];
};

#define TM_CHANNELS 96
static struct tm_channel *channels[TM_CHANNELS];
static struct tm_alarm common_alarm = { .low = -10, .high = 70 };

static int tm_show(struct seq_file *m, void *v)
{
	unsigned int i, alarms = 0;

	for (i = 0; i < TM_CHANNELS; i++) {
		struct tm_channel *ch = channels[i];

		if (!ch)
			continue;
		if (ch->celsius > ch->alarm->high || ch->celsius < ch->alarm->low) /* @fault */
			alarms++;
	}
	seq_printf(m, "%u\n", alarms);
	return 0;
}

static int __init tempmon_init(void)
{
	unsigned int i;

	for (i = 0; i < TM_CHANNELS; i++) {
		struct tm_channel *ch = kzalloc(sizeof(*ch), GFP_KERNEL);

		if (!ch)
			return -ENOMEM;
		ch->nr = i;
		ch->celsius = 20 + i % 8;
		ch->alarm = &common_alarm;
		snprintf(ch->label, sizeof(ch->label), "zone%u", i);
		channels[i] = ch;
	}
	/* only every other one is wired on this board */
	for (i = 1; i < TM_CHANNELS; i += 2) {
		kfree(channels[i]);
		channels[i] = NULL;
	}
	proc_create_single("tempmon", 0444, NULL, tm_show);
	return 0;
}

module_init(tempmon_init);
MODULE_LICENSE("GPL");
