#include "engine/spill.h"
#include "base/own.h"
#include "sys/file.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITTEN_MAX = 1000 };

static char source[WRITTEN_MAX], path[] = "/tmp/coffer-spill.XXXXXX";
static int dir;

/* Gives `total` bytes in pieces of `piece`; gathers what goes on, and the file. Returns how long that is. */
static size_t pass(const struct spill_wish *wish, size_t total, size_t piece, char *passed, struct outcome_spill *ret)
{
	struct spill spill;
	size_t n = 0;
	char *rest;

	assert_int_equal(spill_init(&spill, wish, 0), 0);
	for (size_t at = 0; at < total; at += piece) {
		size_t now = total - at < piece ? total - at : piece, on = spill_take(&spill, source + at, now);

		assert_true(on <= now);
		memcpy(passed + n, source + at, on);
		n += on;
	}

	size_t more = spill_rest(&spill, &rest);

	if (rest)
		memcpy(passed + n, rest, more);
	free(rest);
	*ret = spill_outcome(&spill);
	spill_done(&spill);
	return n + more;
}

static ssize_t in_file(char *bytes)
{
	autofd int fd = openat(dir, "out", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, WRITTEN_MAX);

	(void)unlinkat(dir, "out", 0);
	return n;
}

/* For all sizes: the head and the tail go on, and the file is the whole. */
static void head_tail_and_the_whole(void **state)
{
	(void)state;
	for (size_t most = 1; most < 40; most += 3) {
		const struct spill_wish wish = { .dir = dir, .name = { "out" }, .most = most, .file_bytes = WRITTEN_MAX };

		for (size_t total = 0; total < 130; total++) {
			for (size_t piece = 1; piece < 60; piece = piece * 2 + 1) {
				char passed[WRITTEN_MAX], whole[WRITTEN_MAX];
				struct outcome_spill outcome;
				size_t n = pass(&wish, total, piece, passed, &outcome), head = most - most / 2;

				assert_int_equal(n, total < most ? total : most);
				assert_int_equal(outcome.is_spilled, total > most);
				assert_int_equal(in_file(whole), total > most ? (ssize_t)total : -1);
				if (total <= most) {
					assert_memory_equal(passed, source, total);
					continue;
				}
				assert_memory_equal(passed, source, head);
				assert_memory_equal(passed + head, source + total - most / 2, most / 2);
				assert_memory_equal(whole, source, total);
				assert_int_equal(outcome.written, total);
				assert_int_equal(outcome.in_file, total);
				assert_int_equal(outcome.head, head);
			}
		}
	}
}

static void its_ceiling(void **state)
{
	const struct spill_wish wish = { .dir = dir, .name = { "out" }, .most = 10, .file_bytes = 50, .mark = { "/there" } };
	const struct spill_wish none = { .dir = -ENOENT, .name = { "out" }, .most = 10, .file_bytes = 0 };
	char passed[WRITTEN_MAX], whole[WRITTEN_MAX];
	struct outcome_spill outcome;
	size_t n = pass(&wish, 500, 7, passed, &outcome);

	(void)state;
	passed[n - 5] = '\0';
	assert_string_equal(passed + 5, "\n[coffer: 490 bytes are left out here; its beginning is in /there]\n");
	assert_int_equal(in_file(whole), 50);
	assert_memory_equal(whole, source, 50);
	assert_int_equal(outcome.in_file, 50);
	assert_int_equal(outcome.errnum, 0);
	assert_int_equal(pass(&none, 500, 7, passed, &outcome), 10);
	assert_true(outcome.is_spilled && !outcome.has_file && outcome.errnum == 0);
}

/* As a directory that could not be made has it; the disk that fills up meanwhile is in tests/e2e/attach.bats. */
static void a_full_disk_is_told(void **state)
{
	const struct spill_wish wish = { .dir = -ENOSPC, .name = { "out" }, .most = 10, .file_bytes = 100, .mark = { "/there" } };
	char passed[WRITTEN_MAX];
	struct outcome_spill outcome;
	size_t n = pass(&wish, 200, 60, passed, &outcome);

	(void)state;
	passed[n - 5] = '\0';
	assert_string_equal(passed + 5, "\n[coffer: 190 bytes are left out here, and kept in no file: No space left on device]\n");
	assert_true(outcome.is_spilled && !outcome.has_file);
	assert_int_equal(outcome.errnum, ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(head_tail_and_the_whole), cmocka_unit_test(its_ceiling),
		                            cmocka_unit_test(a_full_disk_is_told) };

	for (size_t i = 0; i < sizeof(source); i++)
		source[i] = (char)(i * 31 + i / 256);
	if (!mkdtemp(path))
		return 1;
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	close(dir);
	(void)file_remove_tree(AT_FDCWD, path);
	return failed;
}
