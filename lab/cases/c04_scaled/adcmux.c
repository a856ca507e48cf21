// SPDX-License-Identifier: GPL-2.0
/* adcmux: a multiplexed analogue-to-digital converter with a calibration per channel. */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#define ADC_CHANNELS 12

struct adc_cal {
	s32 offset;
	s32 gain;
	u64 stamp;
};

struct adc_dev {
	u32 rate;
	u32 settle;
	struct adc_cal cal[ADC_CHANNELS];
	void __iomem *regs;
};

static struct adc_dev *adc_bank[2];
static struct dentry *adc_dir;

static noinline s32 adc_scale(struct adc_dev *adc, unsigned int chan, s32 raw)
{
	if (chan >= ADC_CHANNELS)
		return -1;
	return raw * adc->cal[chan].gain; /* @fault */
}

static int adc_set(void *data, u64 value)
{
	unsigned int bank = (value >> 4) & 1;

	pr_info("adcmux: %d\n", adc_scale(adc_bank[bank], value & 15, 100));
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(adc_fops, NULL, adc_set, "%llx\n");

static int __init adc_init(void)
{
	adc_bank[0] = kzalloc(sizeof(*adc_bank[0]), GFP_KERNEL);
	if (!adc_bank[0])
		return -ENOMEM;
	adc_bank[0]->rate = 1000;
	adc_dir = debugfs_create_dir("adcmux", NULL);
	debugfs_create_file_unsafe("read", 0200, adc_dir, NULL, &adc_fops);
	return 0;
}

static void __exit adc_exit(void)
{
	debugfs_remove_recursive(adc_dir);
	kfree(adc_bank[0]);
}

module_init(adc_init);
module_exit(adc_exit);
MODULE_LICENSE("GPL");
