/* watch_told.h: names that were told as made when their directory was read, and that the kernel will tell once more; for watch.c. */
#ifndef COFFER_FILES_WATCH_TOLD_H
#define COFFER_FILES_WATCH_TOLD_H

#include <stdbool.h>

enum { WATCH_TOLD_BUCKETS = 1024 };

struct told;
struct watch_told {
	struct told *bucket[WATCH_TOLD_BUCKETS];
};

/* Without memory a name is not remembered, and told twice. */
void watch_told_add(struct watch_told *all, int wd, const char *name);
/* Was it told when its directory was read? It is forgotten with this. */
bool watch_told_take(struct watch_told *all, int wd, const char *name);
void watch_told_clear(struct watch_told *all);

#endif
