#include "unpack/made.h"

#include <stdlib.h>
#include <string.h>

static struct made_file *find(struct made_file *at, size_t room, uint64_t dev, uint64_t ino)
{
	size_t i = (size_t)((ino ^ dev << 32) * 0x9e3779b97f4a7c15ull) & (room - 1); /* 2^64 by the golden ratio, as Knuth hashes */

	while (at[i].ino && (at[i].ino != ino || at[i].dev != dev))
		i = (i + 1) & (room - 1);
	return &at[i];
}

static bool grow(struct made_files *files)
{
	size_t room = files->room ? files->room * 2 : 256;
	struct made_file *at = calloc(room, sizeof(*at));

	if (!at)
		return false;
	for (size_t i = 0; i < files->room; i++)
		if (files->at[i].ino)
			*find(at, room, files->at[i].dev, files->at[i].ino) = files->at[i];
	free(files->at);
	files->at = at;
	files->room = room;
	return true;
}

struct made_file *made_files_put(struct made_files *files, const struct stat *st)
{
	struct made_file *file;

	if (files->n * 2 >= files->room && !grow(files))
		return NULL;
	file = find(files->at, files->room, st->st_dev, st->st_ino);
	if (!file->ino) {
		file->dev = st->st_dev;
		file->ino = st->st_ino;
		files->n++;
	}
	return file;
}

bool made_files_has(const struct made_files *files, const struct stat *st)
{
	return files->room > 0 && find(files->at, files->room, st->st_dev, st->st_ino)->ino != 0;
}

void made_files_done(struct made_files *files)
{
	for (size_t i = 0; i < files->room; i++)
		free(files->at[i].path);
	free(files->at);
	*files = (struct made_files){ 0 };
}

bool made_directories_add(struct made_directories *directories, const char *path, const struct made_directory *what)
{
	if (directories->n == directories->room) {
		size_t room = directories->room ? directories->room * 2 : 64;
		struct made_directory *at = reallocarray(directories->at, room, sizeof(*at));

		if (!at)
			return false;
		directories->at = at;
		directories->room = room;
	}

	struct made_directory *directory = &directories->at[directories->n];

	*directory = *what;
	directory->order = directories->n;
	directory->path = strdup(path);
	directories->n += directory->path != NULL;
	return directory->path != NULL;
}

static int compare(const void *a, const void *b)
{
	const struct made_directory *x = (const struct made_directory *)a, *y = (const struct made_directory *)b;
	int order = strcmp(y->path, x->path);

	return order ? order : (y->order > x->order) - (y->order < x->order);
}

void made_directories_sort(struct made_directories *directories)
{
	if (directories->n > 1)
		qsort(directories->at, directories->n, sizeof(*directories->at), compare);
}

void made_directories_done(struct made_directories *directories)
{
	for (size_t i = 0; i < directories->n; i++)
		free(directories->at[i].path);
	free(directories->at);
	*directories = (struct made_directories){ 0 };
}
