#include "engine/quota.h"

#include "base/own.h"
#include "engine/watch.h"
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUOTA_DEPTH_MAX = 200 /* a descriptor each */, BLOCK_BYTES = 512 };
enum { LOOK_LEAST = 20000, LOOK_MOST = 1000000, LOOK_SHARE = 20 }; /* µs between two looks; a look takes one part of so many */
enum { FILL_BYTES_A_US = 2048, FILES_A_MS = 100 };                 /* what a fast disk takes, and a fast loop makes */
enum { OPERAND_DIRS, OPERAND_BYTES, OPERAND_FILES };

/* ---- counting ---- */

static int count_dir(int fd, unsigned depth, struct quota_use *use);

/* A file counts once however many names it has: each has its part. Who vanishes meanwhile is gone. */
static int count_one(int dir, const char *name, unsigned depth, struct quota_use *use)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	use->files++;
	if (!S_ISDIR(st.st_mode)) {
		use->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES / (st.st_nlink ? st.st_nlink : 1);
		return 0;
	}
	use->bytes += (uint64_t)st.st_blocks * BLOCK_BYTES;

	autofd int fd = file_open_dir(dir, name);

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
		return 0;
	return fd < 0 ? fd : count_dir(fd, depth + 1, use);
}

static int count_dir(int fd, unsigned depth, struct quota_use *use)
{
	autofree struct file_dir *dir = depth < QUOTA_DEPTH_MAX ? malloc(sizeof(*dir)) : NULL;
	const char *name;
	unsigned char type;
	int r = 1;

	if (!dir)
		return -ELOOP;
	file_dir_init(dir, fd);
	while (r > 0) {
		r = file_dir_next(dir, &name, &type);
		if (r > 0 && count_one(fd, name, depth, use) < 0)
			return -EACCES;
	}
	return r;
}

static int count(const struct plan *plan, const struct plan_op *op, struct quota_use *ret_use)
{
	const char *path = NULL;

	*ret_use = (struct quota_use){ 0 };
	while ((path = plan_list_next(plan, op, OPERAND_DIRS, path))) {
		autofd int fd = file_open_dir(AT_FDCWD, path);
		int r = fd == -ENOENT ? 0 : fd < 0 ? fd : count_dir(fd, 0, ret_use);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- judging ---- */

static struct quota_use ceiling_of(const struct plan_op *op)
{
	return (struct quota_use){ plan_number(op, OPERAND_BYTES), plan_number(op, OPERAND_FILES) };
}

static uint64_t left(uint64_t most, uint64_t used)
{
	return most == UINT64_MAX ? UINT64_MAX : used < most ? most - used : 0;
}

static const struct plan_op *find(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head->op_count; i++)
		if (plan->op[i].code == OP_QUOTA)
			return &plan->op[i];
	return NULL;
}

void quota_init(struct quota *quota, const struct plan *plan, uint64_t at_us)
{
	*quota = (struct quota){ .plan = plan, .op = find(plan) };
	quota->at_us = quota->op ? at_us : WATCH_NEVER;
}

static bool is_passed(const struct quota *quota, struct quota_use *ret_use)
{
	const struct quota_use most = ceiling_of(quota->op);

	if (count(quota->plan, quota->op, ret_use) < 0)
		*ret_use = (struct quota_use){ UINT64_MAX, UINT64_MAX };
	return ret_use->bytes > most.bytes || ret_use->files > most.files;
}

bool quota_is_passed(const struct quota *quota)
{
	struct quota_use use;

	return quota->op && is_passed(quota, &use);
}

static uint64_t wait_us(const struct quota *quota, const struct quota_use *use, uint64_t took_us)
{
	const struct quota_use most = ceiling_of(quota->op);
	uint64_t bytes = left(most.bytes, use->bytes) / FILL_BYTES_A_US, files = left(most.files, use->files) / FILES_A_MS * 1000;
	uint64_t wait = bytes < files ? bytes : files;

	if (wait > LOOK_MOST)
		wait = LOOK_MOST;
	if (wait < LOOK_LEAST)
		wait = LOOK_LEAST;
	return wait < took_us * LOOK_SHARE ? took_us * LOOK_SHARE : wait;
}

bool quota_look(struct quota *quota, uint64_t now_us)
{
	struct quota_use use, *told = &quota->told;
	bool passed = is_passed(quota, &use), again = told->bytes || told->files;
	uint64_t after_us = watch_clock_us();

	quota->at_us = after_us + wait_us(quota, &use, after_us - now_us);
	if (!passed) {
		*told = (struct quota_use){ 0 };
		quota->settles = false;
		return false;
	}

	bool more = !quota->settles && (!again || use.bytes > told->bytes || use.files > told->files);

	if (!again || !more)
		*told = use;
	quota->settles = more;
	return more;
}

struct quota_use quota_room(const struct plan *plan)
{
	struct quota quota;
	struct quota_use use;

	quota_init(&quota, plan, WATCH_NEVER);
	if (!quota.op)
		return (struct quota_use){ UINT64_MAX, UINT64_MAX };
	if (is_passed(&quota, &use))
		return (struct quota_use){ 0 };
	return (struct quota_use){ left(plan_number(quota.op, OPERAND_BYTES), use.bytes),
		                   left(plan_number(quota.op, OPERAND_FILES), use.files) };
}
