#include "sys/landlock.h"

#include <errno.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h of the build may be older than the kernel, so what is used of it is here. */
enum { VERSION_FLAG = 1, RULE_PATH_BENEATH = 1 };

/* execute, write and read a file, truncate (ABI 3), ioctl on a device (ABI 5) */
#define FILE_RIGHTS ((uint64_t)(1 << 0 | 1 << 1 | 1 << 2 | 1 << 14 | 1 << 15))

struct path_rule {
	uint64_t rights;
	int32_t fd;
} __attribute__((packed));

unsigned landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);

	return abi < 0 ? 0 : (unsigned)abi;
}

/* By ABI: 13 rights, then REFER, TRUNCATE, and IOCTL_DEV in the fifth. */
uint64_t landlock_file_rights(unsigned abi)
{
	static const unsigned counts[] = { 0, 13, 14, 15, 15, 16 };

	return ((uint64_t)1 << counts[abi < 5 ? abi : 5]) - 1;
}

static size_t attribute_size(unsigned abi)
{
	if (abi >= 6)
		return sizeof(struct landlock_handled);
	return abi >= 4 ? offsetof(struct landlock_handled, scopes) : offsetof(struct landlock_handled, network);
}

int landlock_open(unsigned abi, const struct landlock_handled *handled)
{
	long fd = syscall(SYS_landlock_create_ruleset, handled, attribute_size(abi), 0);

	return fd < 0 ? -errno : (int)fd;
}

int landlock_allow(int ruleset, int fd, uint64_t rights)
{
	struct path_rule rule = { rights, fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.rights &= FILE_RIGHTS;
	if (!rule.rights)
		return 0;
	return syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

int landlock_enter(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}
