/* A made-up module with one of each shape that the image reader must understand.
 * The objects beside this file were built from it:
 *   gcc -O2 -gdwarf-5 -ffile-prefix-map=$PWD=/src -c shapes.c -o shapes-x86_64-dwarf5.o
 *   aarch64-linux-gnu-gcc-12 -O2 -gdwarf-4 -gz=zlib -ffile-prefix-map=$PWD=/src -c shapes.c -o shapes-arm64-dwarf4.o
 */
#define SECTION(name) __attribute__((used, section(name)))

static const char modinfo_name[] SECTION(".modinfo") = "name=shapes";
static const char modinfo_magic[] SECTION(".modinfo") = "vermagic=6.1.0-test SMP mod_unload";

struct opaque;
enum colour { RED, GREEN = 5, BLUE = -1 };
typedef unsigned int u32;

struct flags {
	u32 low : 3;
	u32 middle : 10;
	u32 : 3;
	u32 high : 16;
	long last : 40;
};

struct node {
	struct node *next;
	union {
		u32 number;
		struct { short a, b; };
		char text[12];
	};
	struct flags flags;
	enum colour colour;
	int grid[3][4];
	int (*call)(struct node *, const char *);
	struct opaque *other;
	u32 tail[];
};

struct node *first;
static int counters[4];
extern int outside(struct node *node, u32 key);

static inline __attribute__((always_inline)) u32 number_of(const struct node *node)
{
	return node->number ^ node->flags.high;
}

static __attribute__((noinline)) int walk(struct node *node, u32 wanted)
{
	int steps = 0;

	while (node) {
		u32 number = number_of(node);

		if (number == wanted)
			return steps;
		steps += counters[number & 3];
		node = node->next;
	}
	return -1;
}

int lookup(u32 wanted, const char *text)
{
	int found = walk(first, wanted);

	if (found < 0 && first)
		return first->call(first, text) + outside(first, wanted);
	return found;
}

SECTION(".init.text") int begin(struct node *node)
{
	first = node;
	counters[node->number & 3]++;
	return lookup(node->flags.middle, node->text);
}

/* The pairs split-* were split from those objects, and from the kernel in fuzz/seeds:
 *   eu-strip -g -f split-x86_64.debug -o split-x86_64.ko shapes-x86_64-dwarf5.o
 *   aarch64-linux-gnu-objcopy --only-keep-debug shapes-arm64-dwarf4.o split-arm64.debug
 *   aarch64-linux-gnu-objcopy --strip-debug shapes-arm64-dwarf4.o split-arm64.ko
 *   objcopy --only-keep-debug kernel-x86_64 split-kernel.debug; objcopy --strip-all kernel-x86_64 split-kernel
 */
