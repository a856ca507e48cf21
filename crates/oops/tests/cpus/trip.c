/*
 * A module that does one wrong thing when it is loaded, chosen by WRONG when it is compiled.
 * It needs no kernel headers: what it calls is exported by every kernel.
 */
typedef unsigned long word;

struct berth {
	word number;
	word flags;
	word tide[4];
	unsigned int depth;
	struct berth *next;
};

struct ferry {
	const char *name;
	word crossings;
	struct berth *berth;
};

extern int _printk(const char *text, ...);
extern void msleep(unsigned int ms);
extern void refcount_warn_saturate(void *counter, int how);
extern void panic(const char *text, ...);

#define NOINLINE __attribute__((noinline))
#define HIDE(value) ({ __typeof__(value) hidden = (value); __asm__ volatile("" : "+r"(hidden)); hidden; })

static struct ferry ferry = { "trip", 3, 0 };
static int counter;

static NOINLINE unsigned int berth_depth(struct ferry *it)
{
	return it->berth->depth;
}

static NOINLINE void berth_set_depth(struct ferry *it, unsigned int depth)
{
	it->berth->depth = depth;
}

static NOINLINE void ferry_call(void (*landing)(void))
{
	landing();
	__asm__ volatile("");
}

static NOINLINE void ferry_broken(void)
{
#if defined(__riscv)
	__asm__ volatile(".2byte 0");
#elif defined(__s390__)
	__asm__ volatile(".short 0");
#elif defined(__powerpc__)
	__asm__ volatile(".long 0");
#elif defined(__mips__)
	__asm__ volatile(".word 0xec000000");
#elif defined(__arm__)
	__asm__ volatile(".inst 0xe7f000f0");
#elif defined(__i386__)
	__asm__ volatile("ud2");
#endif
}

static NOINLINE int ferry_share(int passengers, int ferries)
{
#if defined(__mips__)
	if (!ferries)
		__asm__ volatile("teq $0, $0, 7");
#endif
	return passengers / ferries;
}

static NOINLINE int ferry_cross(int depth)
{
	volatile char hold[256];

	hold[0] = depth;
	hold[255] = ferry_cross(depth + 1) + hold[0];
	return hold[255] + hold[0];
}

static NOINLINE int ferry_start(void)
{
	struct ferry *it = HIDE(&ferry);

	_printk("trip: %s\n", WHAT);
	switch (WRONG) {
	case 1:
		return berth_depth(it);
	case 2:
		berth_set_depth(it, 7);
		break;
	case 3:
		it->berth = (struct berth *)(WILD);
		return berth_depth(it);
	case 4:
		it->berth = (struct berth *)0x10000100ul;
		return berth_depth(it);
	case 5:
		ferry_call(HIDE((void (*)(void))0));
		break;
	case 6:
		it->berth = (struct berth *)HIDE((word)&_printk);
		berth_set_depth(it, 7);
		break;
	case 7:
		ferry_broken();
		break;
	case 8:
		return ferry_share(HIDE(12), HIDE(0));
	case 9:
		refcount_warn_saturate(&counter, 2);
		break;
	case 10:
		msleep(600000);
		break;
	case 11:
		for (;;)
			__asm__ volatile("" : : "r"(it) : "memory");
	case 12:
		return ferry_cross(0);
	case 13:
		panic("trip: the ferry is full");
	case 14:
		ferry_call(HIDE((void (*)(void))&ferry));
		break;
	}
	return -22;
}

int init_module(void)
{
	int result = ferry_start();

	__asm__ volatile("" : "+r"(result));
	return result;
}
