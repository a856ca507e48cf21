/* Values on their way: what functions return, look at, and hand on.
 * The objects beside this file were built from it:
 *   gcc -O2 -g -gz=zlib -ffile-prefix-map=$PWD=/src -c trail.c -o trail-x86_64.o
 *   aarch64-linux-gnu-gcc-12 -O2 -g -gz=zlib -ffile-prefix-map=$PWD=/src -c trail.c -o trail-arm64.o
 */
#define NOINLINE __attribute__((noinline))

struct node { struct node *next; long key; };
struct table { unsigned long count; struct node *slots[8]; };

extern struct node spare;
struct node *made(long key);
void use(struct node *node);

/* An error, an element, or what another function makes. */
NOINLINE struct node *find(struct table *table, unsigned long index)
{
	if (index == 77)
		return (struct node *)-22l; /* @error */
	if (index >= table->count)
		return 0; /* @null */
	if (table->slots[index])
		return table->slots[index]; /* @element */
	return made(index); /* @tail */
}

/* What is not NULL when it is returned. */
NOINLINE struct node *checked(struct table *table)
{
	struct node *node = made(table->count);

	if (!node)
		return (struct node *)-12l; /* @nomem */
	node->key = 1;
	return node;
}

/* A loop that advances its pointer. */
NOINLINE long walk(struct table *table, long limit)
{
	struct node *at = table->slots[0]; /* @first */
	long sum = 0;

	do {
		sum += at->key; /* @follow */
		at = at->next; /* @advance */
	} while (sum < limit);
	return sum;
}

/* Taken over and looked at, and not. */
NOINLINE void looks(struct table *table)
{
	struct node *node = find(table, 1);

	if (node)
		use(node); /* @looked */
}

NOINLINE long looks_not(struct table *table)
{
	struct node *node = find(table, 2);

	return node->key; /* @unlooked */
}

/* Chosen without a branch. */
NOINLINE struct node *chosen(long which)
{
	return which ? &spare : 0;
}
