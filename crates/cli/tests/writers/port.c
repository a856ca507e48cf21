/* A made-up driver in which every way of giving a member a value occurs once.
 * The objects beside this file were built from it:
 *   gcc -O2 -gdwarf-5 -ffile-prefix-map=$PWD=/src -c port.c -o port-x86_64.o
 *   aarch64-linux-gnu-gcc-12 -O2 -gdwarf-4 -ffile-prefix-map=$PWD=/src -c port.c -o port-arm64.o
 */
#define SECTION(name) __attribute__((used, section(name)))

static const char modinfo_name[] SECTION(".modinfo") = "name=port";
static const char modinfo_magic[] SECTION(".modinfo") = "vermagic=6.1.0-test SMP mod_unload";

typedef unsigned long size_t;
extern void *__kmalloc(size_t size, unsigned int flags);
extern void kfree(const void *object);
extern void *memset(void *to, int byte, size_t size);
extern void *memcpy(void *to, const void *from, size_t size);
extern int ready(void);

struct bell { int tone, volume; };

struct port {
	long number;
	struct bell *bell;
	struct { struct bell inner; unsigned int users; };
};

static struct bell house_bell;

static inline __attribute__((always_inline)) void give_bell(struct port *port, struct bell *bell)
{
	port->bell = bell;
}

static __attribute__((noinline)) void set_up(struct port *port)
{
	if (ready())
		give_bell(port, &house_bell);
}

struct port *port_open(long number)
{
	/* GFP_KERNEL | __GFP_ZERO */
	struct port *port = __kmalloc(sizeof(*port), 0xdc0);

	if (!port)
		return 0;
	port->number = number;
	set_up(port);
	return port;
}

struct port *port_copy(const struct port *from)
{
	/* GFP_KERNEL */
	struct port *copy = __kmalloc(sizeof(*copy), 0xcc0);

	memcpy(copy, from, sizeof(*copy) - ready());
	return copy;
}

void port_use(struct port *port)
{
	port->users++;
}

void port_mute(struct port *port)
{
	port->bell = 0;
}

void port_reset(struct port *port)
{
	memset(port, 0, sizeof(*port) - ready());
}

void port_close(struct port *port)
{
	kfree(port);
}

int init_module(void)
{
	return port_open(3) ? 0 : -12;
}
