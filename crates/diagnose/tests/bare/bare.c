/*
 * A module for the tests of what is told without debug information:
 *   x86_64: gcc -O2 -c -mcmodel=kernel -mno-red-zone -fno-pic -fcf-protection=none -ffreestanding
 *           -fno-asynchronous-unwind-tables bare.c -o bare-x86_64.o && strip -g bare-x86_64.o
 *   arm64:  aarch64-linux-gnu-gcc -O2 -c -fno-pic -ffreestanding -fno-asynchronous-unwind-tables
 *           bare.c -o bare-arm64.o && aarch64-linux-gnu-strip -g bare-arm64.o
 */
typedef unsigned int u32;
typedef unsigned long u64;

static const char info[] __attribute__((section(".modinfo"), used)) = "name=bare";

struct mode {
	u32 width, clock;
};
struct mode modes[4] = { { 640, 25 }, { 800, 40 }, { 1024, 65 }, { 1280, 108 } };

/* An index that is no element of a variable. */
__attribute__((noinline)) u32 mode_clock(u64 nr)
{
	return modes[nr].clock;
}

struct histo {
	u64 total;
	u32 width;
	u32 bucket[64];
};

/* The pointer is gone when the index is used: its register was written over. */
__attribute__((noinline)) u32 histo_at(struct histo *h, u64 usecs)
{
	return h->bucket[usecs];
}

struct frame {
	u32 *volatile samples;
	u32 used;
};

/* An index that walks off the end of what samples points to. */
__attribute__((noinline)) void frame_fill(volatile struct frame *fr, u32 s, u32 run)
{
	u32 i;

	for (i = 0; i < run; i++)
		fr->samples[fr->used + i] = s;
}

/* The pointer that was followed came from the caller, which read it from a variable. */
struct port {
	u64 id, drops;
};
struct port *current_port;
u64 port_drops(struct port *port);
__asm__(".text\n.globl port_drops\n.type port_drops, %function\nport_drops:\n"
#ifdef __x86_64__
	"movq 8(%rdi), %rax\nret\n"
#else
	"ldr x0, [x0, #8]\nret\n"
#endif
	".size port_drops, .-port_drops\n");

u64 port_show(void)
{
	return port_drops(current_port) + 1;
}

/* An access that is expected to fault. */
u64 user_word(const u64 *from);
__asm__(".text\n.globl user_word\n.type user_word, %function\nuser_word:\n"
#ifdef __x86_64__
	"1: movq (%rdi), %rax\n2: ret\n"
	".pushsection __ex_table, \"a\"\n.long 1b - ., 2b - ., 3\n.popsection\n"
#else
	"1: ldtr x0, [x0]\n2: ret\n"
	".pushsection __ex_table, \"a\"\n.long 1b - ., 2b - .\n.short 2, 0\n.popsection\n"
#endif
	".size user_word, .-user_word\n");
