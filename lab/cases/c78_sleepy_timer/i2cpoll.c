// SPDX-License-Identifier: GPL-2.0
/* i2cpoll: polls a slow sensor from a timer. */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/timer.h>

struct ip_sensor {
	struct timer_list poll;
	struct mutex bus;
	u16 address;
	s32 value;
};

static struct ip_sensor sensor;

static s32 ip_transfer(struct ip_sensor *s)
{
	s32 value;

	mutex_lock(&s->bus);
	/* conversion time of the part, see data sheet */
	usleep_range(2000, 3000); /* @call */
	value = s->address ^ (s32)jiffies;
	mutex_unlock(&s->bus);
	return value;
}

static void ip_poll(struct timer_list *t)
{
	struct ip_sensor *s = from_timer(s, t, poll);

	s->value = ip_transfer(s); /* @origin */
	mod_timer(&s->poll, jiffies + HZ);
}

static int __init i2cpoll_init(void)
{
	mutex_init(&sensor.bus);
	sensor.address = 0x48;
	sensor.value = ip_transfer(&sensor);
	timer_setup(&sensor.poll, ip_poll, 0);
	mod_timer(&sensor.poll, jiffies + HZ / 4);
	return 0;
}

static void __exit i2cpoll_exit(void)
{
	del_timer_sync(&sensor.poll);
}

module_init(i2cpoll_init);
module_exit(i2cpoll_exit);
MODULE_LICENSE("GPL");
