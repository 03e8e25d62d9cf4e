/*
 * Archives, unpacked with small limits into a directory that has something beside it: whatever the archive says, what is beside stays as it is, the directory
 * keeps its mode, and what is in it is within the limits and of a kind that is made.
 */
#include "fuzz.h"

#include "files/walk.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "unpack/unpack.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BYTES_MAX = 1 << 20, ENTRIES_MAX = 64, DEPTH_MAX = 8 };

static char top[64];
static int top_fd = -1;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void drop_top(void)
{
	(void)file_remove_tree(AT_FDCWD, top);
}

static void make_top(void)
{
	snprintf(top, sizeof(top), "%s/coffer-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	require(mkdtemp(top) != NULL && setlocale(LC_CTYPE, "C.UTF-8"));
	atexit(drop_top);
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	int fd = openat(top_fd, "secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	require(fd >= 0 && write(fd, "secret", 6) == 6);
	close(fd);
}

static void check_outside(void)
{
	char text[16];
	struct stat st;
	struct file_dir dir;
	const char *name;
	unsigned char type;
	unsigned n = 0;

	require(fstatat(top_fd, "secret", &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_mode == (S_IFREG | 0640) && st.st_nlink == 1);
	require(file_read_at(top_fd, "secret", text, sizeof(text)) == 6 && strcmp(text, "secret") == 0);
	lseek(top_fd, 0, SEEK_SET);
	file_dir_init(&dir, top_fd);
	while (file_dir_next(&dir, &name, &type) > 0)
		n++;
	require(n == 2);
}

static int check_one(void *self, const struct walk_visit *visit)
{
	uint64_t *sum = (uint64_t *)self;
	mode_t mode = visit->st.st_mode;

	require(S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode));
	require(S_ISLNK(mode) || (mode & 07000) == 0);
	sum[0]++;
	sum[1] += S_ISREG(mode) ? (uint64_t)visit->st.st_size / visit->st.st_nlink : 0;
	return WALK_GO;
}

static void check_inside(int target)
{
	uint64_t sum[2] = { 0, 0 };
	struct walk walk = { .entries_max = 4 * ENTRIES_MAX, .depth_max = DEPTH_MAX, .visit = check_one, .self = sum };
	struct stat st;

	require(walk_tree(&walk, target) == 0 && sum[0] <= ENTRIES_MAX && sum[1] <= BYTES_MAX);
	require(fstat(target, &st) == 0 && (st.st_mode & 07777) == 0700);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unpack unpack = {
		.output = -1,
		.limits = { .bytes = BYTES_MAX, .ratio = 1000, .entries = ENTRIES_MAX, .depth = DEPTH_MAX, .time_ms = 5000 },
		.skip_special = size % 2 == 0,
	};

	if (top_fd < 0)
		make_top();
	require(mkdirat(top_fd, "target", 0700) == 0);
	unpack.root = openat(top_fd, "target", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unpack.input = fd_sealed("archive", data, size);
	require(unpack.root >= 0 && unpack.input >= 0);
	lseek(unpack.input, 0, SEEK_SET);

	enum unpack_status status = unpack_extract(&unpack);

	require(status == UNPACK_DONE || unpack.err.text[0]);
	require(unpack.bytes <= BYTES_MAX && unpack.entries <= ENTRIES_MAX);
	check_outside();
	check_inside(unpack.root);
	close(unpack.root);
	close(unpack.input);
	require(file_remove_tree(top_fd, "target") == 0);
	return 0;
}
