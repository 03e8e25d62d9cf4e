#include "files/watch_told.h"

#include <stdlib.h>
#include <string.h>

struct told {
	struct told *next;
	int wd;
	char name[];
};

static struct told **bucket_of(struct watch_told *all, int wd, const char *name)
{
	unsigned hash = (unsigned)wd;

	for (; *name; name++)
		hash = hash * 31 + (unsigned char)*name;
	return &all->bucket[hash % WATCH_TOLD_BUCKETS];
}

void watch_told_add(struct watch_told *all, int wd, const char *name)
{
	struct told **bucket = bucket_of(all, wd, name);
	struct told *told = malloc(sizeof(*told) + strlen(name) + 1);

	if (!told)
		return;
	told->next = *bucket;
	told->wd = wd;
	memcpy(told->name, name, strlen(name) + 1);
	*bucket = told;
}

bool watch_told_take(struct watch_told *all, int wd, const char *name)
{
	struct told **at = bucket_of(all, wd, name);

	while (*at && ((*at)->wd != wd || strcmp((*at)->name, name) != 0))
		at = &(*at)->next;
	if (!*at)
		return false;

	struct told *told = *at;

	*at = told->next;
	free(told);
	return true;
}

void watch_told_clear(struct watch_told *all)
{
	for (size_t i = 0; i < WATCH_TOLD_BUCKETS; i++)
		while (all->bucket[i]) {
			struct told *told = all->bucket[i];

			all->bucket[i] = told->next;
			free(told);
		}
}
