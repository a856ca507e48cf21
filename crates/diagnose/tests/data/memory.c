/* How values get into memory that they should not be in; and stores that are as they should be.
 * The objects beside this file were built from it:
 *   gcc -O2 -g -fno-builtin -gz=zlib -ffile-prefix-map=$PWD=/src -c memory.c -o memory-x86_64.o
 *   aarch64-linux-gnu-gcc-12 -O2 -g -fno-builtin -gz=zlib -ffile-prefix-map=$PWD=/src -c memory.c -o memory-arm64.o
 */
#define NOINLINE __attribute__((noinline))
typedef unsigned int u32;
typedef unsigned long u64;

#define ZEROED 0xdc0u
#define AS_IT_WAS 0xcc0u

extern void *kmalloc_caches[4][14];
void *kmalloc_trace(void *cache, u32 flags, u64 size);
void *memcpy(void *to, const void *from, u64 length);
int kstrtoull(const char *text, u32 base, u64 *result);
int enlist(const char *name, void *data, const void *operations);
void post(u32 cookie);

struct sink { u64 lines; };

/* The pointer stands behind an array of characters. */
struct tag { u32 level; char name[12]; struct sink *sink; };

NOINLINE void tag_aim(struct tag *tag, struct sink *sink)
{
	tag->sink = sink; /* @aimed */
}

NOINLINE void tag_drop(struct tag *tag)
{
	tag->sink = 0; /* @dropped */
}

NOINLINE void tag_rename(struct tag *tag, const char *name)
{
	int i;

	for (i = 0; name[i]; i++)
		tag->name[i] = name[i]; /* @renamed */
}

NOINLINE u64 tag_read(struct tag *tag)
{
	return tag->sink->lines;
}

/* A member that nothing ever sets. */
struct job { u32 id; struct sink *out; u64 due; };

NOINLINE struct job *job_make(u32 id)
{
	struct job *job = kmalloc_trace(kmalloc_caches[0][5], ZEROED, sizeof(*job)); /* @made */

	if (!job)
		return 0;
	job->id = id;
	return job;
}

NOINLINE u64 job_read(struct job *job)
{
	return job->out->lines;
}

/* A member that is as the memory was. */
struct slip { u32 id; struct sink *out; };

NOINLINE struct slip *slip_make(u32 id)
{
	struct slip *slip = kmalloc_trace(kmalloc_caches[0][4], AS_IT_WAS, sizeof(*slip)); /* @unclean */

	if (slip)
		slip->id = id;
	return slip;
}

NOINLINE u64 slip_read(struct slip *slip)
{
	return slip->out->lines;
}

/* 32 bits in front of a pointer, and 64 bits written to them. */
struct ring { u32 id; u32 usecs; struct sink *hw; };
struct ring *ring;

NOINLINE int ring_set(const char *text)
{
	return kstrtoull(text, 0, (u64 *)&ring->usecs); /* @spilt */
}

NOINLINE void ring_force(struct ring *ring, u64 usecs)
{
	*(u64 *)&ring->usecs = usecs; /* @forced */
}

NOINLINE void ring_clear(struct ring *ring)
{
	ring->id = 0;
	ring->usecs = 0;
}

NOINLINE u64 ring_read(struct ring *ring)
{
	return ring->hw->lines;
}

/* Two types of one size class, in one of which nothing ends a copy. */
struct channel { struct sink *alarm; u64 number; char label[104]; };
struct label { char text[120]; u32 serial; u32 flags; };
struct title { char text[120]; u32 serial; u32 flags; };
struct parcel { char text[200]; };

struct channel *channel;
struct label *label;
struct title *title;
struct parcel *parcel;

NOINLINE int all_make(void)
{
	channel = kmalloc_trace(kmalloc_caches[0][7], ZEROED, sizeof(*channel));
	label = kmalloc_trace(kmalloc_caches[0][7], ZEROED, sizeof(*label));
	title = kmalloc_trace(kmalloc_caches[0][7], ZEROED, sizeof(*title));
	parcel = kmalloc_trace(kmalloc_caches[0][8], ZEROED, sizeof(*parcel));
	return channel && label && title && parcel;
}

NOINLINE void label_fill(struct label *label, const char *text, u64 length)
{
	memcpy(label->text, text, length); /* @endless */
}

NOINLINE void title_fill(struct title *title, const char *text, u64 length)
{
	if (length > 119)
		length = 119;
	memcpy(title->text, text, length); /* @ended */
}

NOINLINE void parcel_fill(struct parcel *parcel, const char *text, u64 length)
{
	memcpy(parcel->text, text, length); /* @elsewhere */
}

NOINLINE u64 channel_read(struct channel *channel)
{
	return channel->alarm->lines;
}

/* One type handed over where another is taken. */
struct gauge { const char *name; struct sink *cal; };
struct stamp { u64 factory; u64 date; };

extern const int operations;
struct gauge gauge;
struct stamp *stamp;

NOINLINE void stamp_set(struct stamp *stamp)
{
	stamp->date = 0x20230814113007; /* @dated */
}

NOINLINE void both_enlist(void)
{
	enlist("gauge", &gauge, &operations); /* @right */
	enlist("stamp", stamp, &operations); /* @wrong */
	enlist("count", (void *)12, &operations);
}

NOINLINE u64 gauge_read(struct gauge *gauge)
{
	return gauge->cal->lines;
}

/* An address in 32 bits. */
struct desc { u32 cookie; u32 length; };
struct desc desc;

NOINLINE void desc_post(void)
{
	struct job *job = kmalloc_trace(kmalloc_caches[0][5], ZEROED, sizeof(*job));

	desc.cookie = (u32)(u64)job; /* @cut */
	post(desc.cookie);
}
