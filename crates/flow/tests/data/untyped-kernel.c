/* What untyped.c builds on: the "kernel" whose BTF the module's continues. See there. */
typedef unsigned long size_t;
struct list { struct list *next, *prev; };
struct kobj { const char *name; long state; };
struct unit { long id; struct kobj *dir; struct list users; };
struct file { long flags; void *private_data; };
struct unit *the_unit;
void *kmalloc(size_t size, unsigned int flags);
void *kmalloc(size_t size, unsigned int flags) { return (void *)(size + flags); }
void kobj_link(struct kobj *kobj, const char *name);
void kobj_link(struct kobj *kobj, const char *name) { kobj->name = name; }
void list_lock(struct list *list);
void list_lock(struct list *list) { list->next = list; }
int thread_run(int (*run)(void *), void *data, const char *name);
int thread_run(int (*run)(void *), void *data, const char *name) { return run(data) + *name; }
int file_add(const char *name, struct file *file);
int file_add(const char *name, struct file *file) { file->flags = *name; return 0; }
