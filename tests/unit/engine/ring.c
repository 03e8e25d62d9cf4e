#include "engine/ring.h"
#include "unit/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROOM = 100 };

static int make_dir(char *path)
{
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void the_last_bytes_stay(void **state)
{
	char path[] = "/tmp/coffer-ring.XXXXXX", file[64], whole[4000];
	int dir = make_dir(path);
	struct ring ring;
	size_t total = 0, n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(whole); i++)
		whole[i] = (char)(i * 7);
	assert_int_equal(ring_make(dir, "ring", ROOM, &ring), 0);
	for (int turn = 0; turn < 40; turn++) {
		autostr struct str bytes = { 0 }, few = { 0 };
		uint64_t told = 0;

		n = (n * 13 + 7) % 97;
		ring_add(&ring, whole + total, n);
		total += n;
		str_init(&bytes, 1000);
		assert_int_equal(ring_read(dir, "ring", &bytes, &told), 0);
		assert_int_equal(told, total);
		assert_int_equal(bytes.len, total < ROOM ? total : ROOM);
		assert_memory_equal(bytes.text, whole + total - bytes.len, bytes.len);
		str_init(&few, 5);
		assert_int_equal(ring_read(dir, "ring", &few, &told), 0);
		assert_memory_equal(few.text, whole + total - few.len, few.len);
		assert_int_equal(few.len, total < 5 ? total : 5);
	}
	ring_add(&ring, whole, sizeof(whole)); /* more than there is room for, at once */

	autostr struct str bytes = { 0 };
	uint64_t told = 0;

	str_init(&bytes, 1000);
	assert_int_equal(ring_read(dir, "ring", &bytes, &told), 0);
	assert_int_equal(told, total + sizeof(whole));
	assert_memory_equal(bytes.text, whole + sizeof(whole) - ROOM, ROOM);
	close(ring.fd);
	close(dir);
	(void)snprintf(file, sizeof(file), "%s/ring", path);
	(void)unlink(file);
	(void)rmdir(path);
}

static void what_is_no_ring_is_refused(void **state)
{
	char path[] = "/tmp/coffer-ring.XXXXXX", file[64];
	int dir = make_dir(path), fd = openat(dir, "ring", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	autostr struct str bytes = { 0 };
	uint64_t told;

	(void)state;
	str_init(&bytes, 1000);
	assert_int_equal(ring_read(dir, "absent", &bytes, &told), -ENOENT);
	assert_int_equal(ring_read(dir, "ring", &bytes, &told), -EBADMSG);
	assert_int_equal(write(fd, "this is no ring, whatever its name", 34), 34);
	assert_int_equal(ring_read(dir, "ring", &bytes, &told), -EBADMSG);
	close(fd);
	close(dir);
	(void)snprintf(file, sizeof(file), "%s/ring", path);
	(void)unlink(file);
	(void)rmdir(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_last_bytes_stay), cmocka_unit_test(what_is_no_ring_is_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
