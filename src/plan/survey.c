#include "plan/survey.h"

#include <stdlib.h>
#include <string.h>

static int compare_entries(const void *a, const void *b)
{
	return strcmp(((const struct survey_entry *)a)->path, ((const struct survey_entry *)b)->path);
}

static int compare_matches(const void *a, const void *b)
{
	const struct survey_match *left = a, *right = b;
	int order = strcmp(left->glob, right->glob);

	return order ? order : strcmp(left->path, right->path);
}

static void finish_matches(struct match_vec *v)
{
	size_t kept = 0;

	if (v->n)
		qsort(v->at, v->n, sizeof(v->at[0]), compare_matches);
	for (size_t i = 0; i < v->n; i++)
		if (kept == 0 || compare_matches(&v->at[kept - 1], &v->at[i]) != 0)
			v->at[kept++] = v->at[i];
	v->n = kept;
}

void survey_finish(struct survey *survey)
{
	struct survey_vec *v = &survey->entries;
	size_t kept = 0;

	if (v->n)
		qsort(v->at, v->n, sizeof(v->at[0]), compare_entries);
	for (size_t i = 0; i < v->n; i++)
		if (kept == 0 || compare_entries(&v->at[kept - 1], &v->at[i]) != 0)
			v->at[kept++] = v->at[i];
	v->n = kept;
	finish_matches(&survey->matches);
	finish_matches(&survey->listings);
}

const struct survey_entry *survey_find(const struct survey *survey, const char *path)
{
	size_t low = 0, high = survey->entries.n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, survey->entries.at[middle].path);

		if (order == 0)
			return &survey->entries.at[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
