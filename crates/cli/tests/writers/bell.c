/* Calls through members: a table, a member that code fills, and a choice before the call.
 * The objects beside this file were built from it as port.c says, with -fno-ipa-cp
 * -fno-ipa-sra -fno-pie, and -mcmodel=kernel on x86. */
static const char modinfo_name[] __attribute__((used, section(".modinfo"))) = "name=bell";
struct port;

struct port_ops {
	int (*open)(struct port *p);
	int (*ring)(struct port *p, int times);
};

struct port {
	int id;
	const struct port_ops *ops;
	int (*hook)(struct port *p);
};

extern void outside(struct port *p);

static int loud_ring(struct port *p, int times)
{
	outside(p);
	return p->id + times;
}

static int loud_open(struct port *p)
{
	outside(p);
	return 0;
}

static int hooked(struct port *p)
{
	outside(p);
	return 1;
}

const struct port_ops loud_ops = {
	.open = loud_open,
	.ring = loud_ring,
};

__attribute__((noinline)) int port_ring(struct port *p, int times)
{
	int result = p->ops->ring(p, times);

	outside(p);
	return result;
}

__attribute__((noinline)) int port_start(struct port *p, int (*open)(struct port *))
{
	int result = 0;

	outside(p);
	if (!open)
		open = p->ops->open;
	if (open)
		result = open(p);
	outside(p);
	return result;
}

__attribute__((noinline)) void port_hook(struct port *p)
{
	p->hook = hooked;
}

__attribute__((noinline)) int port_run(struct port *p)
{
	int result = p->hook(p);

	outside(p);
	return result;
}

int entry(struct port *p)
{
	port_hook(p);
	return port_ring(p, 2) + port_start(p, 0) + port_run(p);
}
