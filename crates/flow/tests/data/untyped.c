/* Pointers that nothing types but what is done with them, one shape a function.
 * The objects beside this file were built from it and untyped-kernel.c, for each CPU:
 *   CFLAGS="-O2 -g -fno-pie -fcf-protection=none -ffreestanding -fno-asynchronous-unwind-tables"
 *   gcc $CFLAGS -c untyped-kernel.c && ld -n -e 0 -Ttext 0x100000 untyped-kernel.o -o kernel && pahole -J kernel
 *   gcc $CFLAGS -c untyped.c && pahole -J --btf_base kernel untyped.o
 *   objcopy --strip-debug kernel untyped-kernel-x86_64; objcopy --strip-debug untyped.o untyped-x86_64.o
 * ARM64: aarch64-linux-gnu-gcc-12 without -fcf-protection.
 */
#define NOINLINE __attribute__((noinline, noclone))
#define CLONED __attribute__((noinline))
#define offset_of(type, member) __builtin_offsetof(type, member)
#define container_of(p, type, member) ((type *)((char *)(p) - offset_of(type, member)))
typedef unsigned long size_t;
struct list { struct list *next, *prev; };
struct kobj { const char *name; long state; };
struct unit { long id; struct kobj *dir; struct list users; };
struct file { long flags; void *private_data; };
extern void *kmalloc(size_t size, unsigned int flags);
extern void kobj_link(struct kobj *kobj, const char *name);
extern void list_lock(struct list *list);
extern int thread_run(int (*run)(void *), void *data, const char *name);

/* Two structs of like beginnings: only the size that is allocated tells them apart. */
struct gauge { long low, high, step; };
struct dial { long low, high, step, turns; };
struct user { struct list users; long since; struct unit *unit; long rank; };
struct limits { int soft, hard, window; };
struct mode { char name[16]; int width, height; long rate; };
struct job { struct job *after; int cost; int done; };

static struct gauge *gauges[4];
static struct dial *dials[4];
static struct limits limits;
static struct mode modes[6];
static struct job *jobs;

/* The clone is handed what its original read: the size of what was allocated for it tells. */
static CLONED long by_size(struct gauge **all, unsigned int nr, long spare) { return all[nr]->high + spare; }
static CLONED long by_other_size(struct dial **all, unsigned int nr, long spare) { return all[nr]->high + spare; }

NOINLINE long allocate(unsigned int nr)
{
	gauges[nr & 3] = kmalloc(sizeof(struct gauge), 1);
	dials[nr & 3] = kmalloc(sizeof(struct dial), 1);
	return by_size(gauges, nr & 3, 5) + by_other_size(dials, nr & 3, 6);
}

/* A list's cursor: the struct around its node is one whose member leads to a unit. */
void by_list(struct unit *unit)
{
	struct list *at;

	for (at = unit->users.next; at != &unit->users; at = at->next)
		kobj_link(container_of(at, struct user, users)->unit->dir, "x");
}

/* A variable by its size and the places that are touched; elements by the size of a step. */
int by_variable(int wanted)
{
	limits.soft = wanted < limits.hard ? wanted : limits.hard;
	return limits.soft;
}
void fill(unsigned int nr, long rate) { modes[nr].rate = rate; modes[nr].height = 1; }
long by_stride(unsigned int nr) { return modes[nr].rate + modes[nr].height; }

/* What a thread is given is what it was started with. */
static int by_callback(void *data)
{
	struct job *job = data;

	return job->after->cost + job->done;
}
int start(void)
{
	jobs = kmalloc(sizeof(struct job), 1);
	return thread_run(by_callback, jobs, "job");
}

/* One function keeps it where another finds it. */
int by_private_data(struct file *file, long by)
{
	struct dial *dial = file->private_data;

	return dial->turns += dial->high + by;
}
int keep(struct file *file)
{
	file->private_data = kmalloc(sizeof(struct dial), 1);
	return 0;
}
