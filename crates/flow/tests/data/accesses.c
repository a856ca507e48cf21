/* One access of each shape that expression recovery must tell.
 * The objects beside this file were built from it:
 *   gcc -O2 -g -gz=zlib -ffile-prefix-map=$PWD=/src -c accesses.c -o accesses-x86_64.o
 *   aarch64-linux-gnu-gcc-12 -O2 -g -gz=zlib -ffile-prefix-map=$PWD=/src -c accesses.c -o accesses-arm64.o
 */
#define NOINLINE __attribute__((noinline))
#define offset_of(type, member) __builtin_offsetof(type, member)
#define container_of(p, type, member) ((type *)((char *)(p) - offset_of(type, member)))

struct list { struct list *next, *prev; };
struct inner { long a, b; };
struct ops { int (*run)(void *, long); };
struct item {
	long key;
	struct list node;
	struct inner in;
	union { long number; struct item *link; };
	unsigned int low : 3, middle : 7, high : 22;
	unsigned int flags;
	const struct ops *ops;
	void *priv;
	struct item *parent;
	int table[8];
	char name[16];
};
struct device { long id; struct list links; };
struct chip { long serial; struct device dev; long state; };
struct private { long pad[3]; long count; };

extern void use(long);
extern struct item *look_up(long);
extern void other(void);
static struct item *the_one;
static int table[64];
struct item items[16];

/* The checks keep the calls in the debug information: compilers drop those that left no code. */
static inline struct private *item_priv(struct item *item)
{
	if (item->key < 0)
		other();
	return item->priv;
}
static inline struct chip *to_chip(struct device *device)
{
	if (device->id < 0)
		other();
	return container_of(device, struct chip, dev);
}

NOINLINE long embedded(struct item *item)
{
	return item->in.b;
}
NOINLINE long chain(struct item *item)
{
	return item->parent->parent->key;
}
NOINLINE long kept(struct item *item, long n)
{
	use(n);
	other();
	return item->flags;
}
NOINLINE long result(long key)
{
	struct item *found = look_up(key);
	return found->in.b;
}
NOINLINE int indexed(struct item *item, long slot)
{
	return item->table[slot];
}
NOINLINE int in_table(unsigned long slot)
{
	return table[slot];
}
NOINLINE long element(unsigned long slot)
{
	return items[slot].in.a;
}
NOINLINE long global(void)
{
	return the_one->key;
}
NOINLINE unsigned int bits(struct item *item)
{
	return item->middle;
}
NOINLINE long twice(struct item **where)
{
	return (*where)->key; /* (*where)->key */
}
NOINLINE int call(struct item *item, long n)
{
	return item->ops->run(item, n) + 1;
}
NOINLINE long around(struct list *entry)
{
	struct item *item = container_of(entry, struct item, node);
	use(item->key);
	other();
	return item->in.a;
}
NOINLINE long walk(struct list *head)
{
	long sum = 0;
	for (struct list *at = head->next; at != head; at = at->next) {
		struct item *item = container_of(at, struct item, node);
		sum += item->flags;
	}
	return sum;
}
NOINLINE void test(struct item *item)
{
	if (item->flags & 0x10000)
		other();
}
NOINLINE long hidden(struct item *item)
{
	return item_priv(item)->count; /* ((struct private *)item->priv)->count */
}
NOINLINE long beside(struct device *device)
{
	return container_of(device, struct chip, dev)->state;
}
NOINLINE long enclosed(struct device *device)
{
	return to_chip(device)->state;
}
NOINLINE void store(struct item *item, long n)
{
	other();
	item->in.a = n;
}
NOINLINE long rounds(struct item *item, long n)
{
	/* The loop leaves `item` alone: it is one value all through. */
	while (n--)
		use(n);
	return item->parent->key;
}
NOINLINE long chosen(struct item *item, int kind)
{
	switch (kind) {
	case 0: use(1); break;
	case 1: other(); return item->in.a;
	case 2: use(item->number); return 5;
	case 3: use(3); other(); break;
	case 4: other(); use(9); return 7;
	case 5: other(); other(); return item->in.b;
	case 6: use(12); return 2;
	}
	return 0;
}
struct cell { unsigned short hsync, vsync; unsigned int clock; };
struct row { char name[16]; long flags; struct cell cells[3]; };
struct row rows[4];
struct reader { long count, pad[9]; struct item *cursor; };
NOINLINE unsigned int row(unsigned int nr, unsigned int variant)
{
	const struct row *line = &rows[nr];
	return line->cells[variant].clock;
}
NOINLINE void moved(struct reader *reader)
{
	reader->count += reader->cursor->flags;
	reader->cursor = container_of(reader->cursor->node.next, struct item, node);
	if (reader->cursor->key)
		use(reader->cursor->key);
}
static int set_up(void) { use(table[1]); the_one = items; table[2] = 3; return 0; }
int (*const keep[])(void) = { set_up };
