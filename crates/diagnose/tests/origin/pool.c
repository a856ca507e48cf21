/* A variable that a condition leaves as it started, and a value that comes in from outside.
 * The object beside this file was built from it with
 *   gcc -O2 -gdwarf-5 -fno-pie -mcmodel=kernel -fcf-protection=none -ffile-prefix-map=$PWD=/src -c pool.c -o pool-x86_64.o
 */
static const char modinfo_name[] __attribute__((used, section(".modinfo"))) = "name=pool";

struct cache {
	long made;
	long size;
};

struct item {
	long id;
	long size;
};

extern struct cache *make_cache(long size);

static struct cache *pool;
int dedicated;

int pool_init(void)
{
	if (dedicated)
		pool = make_cache(64);
	return 0;
}

__attribute__((noinline)) long pool_size(void)
{
	return pool->size;
}

static inline long item_size(const struct item *item)
{
	return item->size;
}

__attribute__((noinline)) long item_show(struct item *given, long by)
{
	return item_size(given) * by;
}
