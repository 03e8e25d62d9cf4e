#include "sys/limit.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

struct kernel_limit {
	uint64_t soft, hard;
};

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int exchange(pid_t pid, unsigned resource, const struct kernel_limit *wanted, struct kernel_limit *ret_old)
{
	return syscall(SYS_prlimit64, pid, resource, wanted, ret_old) < 0 ? -errno : 0;
}

int limit_hard_of(pid_t pid, unsigned resource, uint64_t *ret_hard)
{
	struct kernel_limit now;
	int r = exchange(pid, resource, NULL, &now);

	if (r == 0)
		*ret_hard = now.hard;
	return r;
}

int limit_set_of(pid_t pid, unsigned resource, uint64_t value)
{
	const struct kernel_limit wanted = { value, value };

	return exchange(pid, resource, &wanted, NULL);
}

int limit_set(unsigned resource, uint64_t soft, uint64_t hard)
{
	struct kernel_limit wanted = { least(soft, hard), hard }, now;
	int r = exchange(0, resource, &wanted, NULL);

	if (r != -EPERM)
		return r;
	r = exchange(0, resource, NULL, &now);
	if (r < 0)
		return r;
	wanted.hard = least(hard, now.hard);
	wanted.soft = least(soft, wanted.hard);
	return exchange(0, resource, &wanted, NULL);
}
