/*
 * changes.c: what reading and applying the changes of a workspace costs.
 *
 *   changes FILES ROUNDS DIR
 *       in DIR, which must be empty: a base of ten times FILES small files, FILES of them changed. Prints "NAME median_us" a line:
 *       diff, patch, apply (without syncing), apply synced, fork.
 */
#include "base/own.h"
#include "sys/file.h"
#include "workspace/apply.h"
#include "workspace/layers.h"
#include "workspace/print.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS_MAX = 100, NAMES = 5, PER_DIR = 50 };

static const char *const name[NAMES] = { "diff", "patch", "apply", "apply synced", "fork" };
static double spent[NAMES][ROUNDS_MAX];

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "changes: %s\n", err->text);
	exit(1);
}

static void put(const char *top, int i, int version)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/d%d", top, i / PER_DIR);
	(void)mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/d%d/f%d", top, i / PER_DIR, i);
	file = fopen(path, "w");
	if (!file)
		exit(2);
	for (int line = 0; line < 40; line++)
		fprintf(file, "line %d of file %d, version %d\n", line, i, line % 20 == 0 ? version : 0);
	if (fclose(file) != 0)
		exit(2);
}

static int drop(void *data, const char *bytes, size_t n)
{
	(void)bytes;
	*(size_t *)data += n;
	return 0;
}

static void measure_diff(struct workspace *workspace, int round)
{
	struct changes changes;
	struct err err = { 0 };
	size_t bytes = 0;
	struct printer printer = { .put = drop, .data = &bytes };
	double start = now_us();

	must(workspace_changes(workspace, &changes, &err), &err);
	spent[0][round] = now_us() - start;
	start = now_us();
	must(changes_print_patch(&changes, &printer, &err), &err);
	spent[1][round] = now_us() - start;
	changes_done(&changes);
}

static void measure_apply(struct workspace *workspace, int round, bool synced)
{
	struct apply_options options = { .no_sync = !synced };
	struct apply_result result;
	struct err err = { 0 };
	double start = now_us();

	must(workspace_apply(workspace, &options, &result, &err), &err);
	spent[synced ? 3 : 2][round] = now_us() - start;
	apply_result_done(&result);
}

static void measure_fork(struct workspace *workspace, const char *data, int round)
{
	struct workspace *child;
	struct err err = { 0 };
	double start = now_us();

	must(workspace_fork(workspace, CHECKPOINT_RENAME, "child", &child, &err), &err);
	spent[4][round] = now_us() - start;
	workspace_close(child);
	must(workspace_remove(data, "child", &err), &err);
}

static void one_round(const char *dir, int files, int round)
{
	char base[2048], data[2048], upper[4096];
	struct workspace_options options = { .id = "w", .base = base };
	struct workspace *workspace;
	struct err err = { 0 };

	snprintf(base, sizeof(base), "%s/base", dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	snprintf(upper, sizeof(upper), "%s/workspaces/w/upper", data);
	for (int synced = 0; synced < 2; synced++) {
		usleep(20000); /* so that the base is older */
		must(workspace_create(data, &options, &workspace, &err), &err);
		for (int i = 0; i < files; i++)
			put(upper, i, 1 + 2 * round + synced);
		sync();
		measure_diff(workspace, round);
		measure_apply(workspace, round, synced);
		measure_fork(workspace, data, round);
		workspace_close(workspace);
		must(workspace_remove(data, "w", &err), &err);
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	int files = argc == 4 ? atoi(argv[1]) : 0, rounds = argc == 4 ? atoi(argv[2]) : 0;
	char base[2048];

	if (files < 1 || rounds < 1 || rounds > ROUNDS_MAX) {
		fprintf(stderr, "usage: changes FILES ROUNDS DIR\n");
		return 125;
	}
	snprintf(base, sizeof(base), "%s/base", argv[3]);
	if (mkdir(base, 0755) < 0)
		return 2;
	for (int i = 0; i < 10 * files; i++)
		put(base, i, 0);
	for (int round = 0; round < rounds; round++)
		one_round(argv[3], files, round);
	for (int i = 0; i < NAMES; i++) {
		qsort(spent[i], (size_t)rounds, sizeof(double), by_size);
		printf("%s %.0f\n", name[i], spent[i][rounds / 2]);
	}
	return 0;
}
