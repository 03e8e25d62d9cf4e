#include "unpack/confine.h"

#include "base/own.h"
#include "sys/caps.h"
#include "sys/filter.h"
#include "sys/landlock.h"
#include "sys/limit.h"
#include "sys/seccomp.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

enum {
	ABI_NETWORK = 4,
	ABI_SCOPES = 6,
	BIND_AND_CONNECT = 3,
	SCOPES = 3,
	MEMORY_BYTES = 1 << 30,
	FILE_SLACK = 1 << 20,
	DESCRIPTORS = 1024
};

#ifdef __has_feature
#define SANITIZED (__has_feature(address_sanitizer))
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* clang-format off: one call a line, or a few that belong together */
#ifdef SYS_newfstatat
#define CALL_FSTATAT CALL(newfstatat)
#else
#define CALL_FSTATAT CALL(fstatat)
#endif
#ifdef SYS_poll
#define CALL_POLL CALL(poll), CALL(ppoll)
#else
#define CALL_POLL CALL(ppoll)
#endif
/* Both ways: bytes, memory, time, the end. Nothing that is written in memory can be run. */
#define SHARED                                                                                                                           \
	BEGIN, CALL(read), CALL(write), CALL(pread64), CALL(lseek), CALL(close), CALL(fstat), CALL_FSTATAT, CALL(openat), CALL(openat2), \
	    CALL_POLL, CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), ONLY(mmap, 4), LOAD_LOW(2), IF_ANY(PROT_EXEC, 0, 1), DENY,  \
	    ALLOW, ONLY(mprotect, 4), LOAD_LOW(2), IF_ANY(PROT_EXEC, 0, 1), DENY, ALLOW, CALL(clock_gettime), CALL(getrandom),           \
	    CALL(getpid), CALL(futex), CALL(rt_sigreturn), CALL(restart_syscall), CALL(exit), CALL(exit_group)

static const struct sock_filter extract_filter[] = {
	SHARED,
	CALL(pwrite64),
	CALL(ftruncate),
	CALL(mkdirat),
	CALL(unlinkat),
	CALL(symlinkat),
	CALL(linkat),
	CALL(fchmod),
	CALL(utimensat),
	CALL(fsetxattr), /* a name that Landlock does not know: only the opaque mark is asked for, and only with --snapshot */
	/* whiteouts, and no other device */
	ONLY(mknodat, 6),
	LOAD_LOW(2),
	AND(S_IFMT),
	IF(S_IFCHR, 0, 2),
	LOAD_LOW(3),
	IF(0, 1, 0),
	DENY,
	ALLOW,
	DENY,
};

static const struct sock_filter create_filter[] = {
	SHARED, CALL(readlinkat), CALL(getdents64), CALL(fgetxattr), DENY,
};
/* clang-format on */

static int set_limits(const struct unpack *unpack)
{
	uint64_t file = unpack->limits.bytes + FILE_SLACK;
	int r = limit_set(RLIMIT_CORE, 0, 0);

	if (r == 0)
		r = limit_set(RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS);
	if (r == 0)
		r = limit_set(RLIMIT_FSIZE, file, file);
	if (r == 0 && !SANITIZED)
		r = limit_set(RLIMIT_AS, MEMORY_BYTES, MEMORY_BYTES);
	return r;
}

static int enter_landlock(int root, bool extract)
{
	unsigned abi = landlock_abi();
	const uint64_t reading = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR;
	const uint64_t writing = reading | LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_CHAR |
	                         LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG | LANDLOCK_MAKE_SYM | LANDLOCK_REFER | LANDLOCK_TRUNCATE;
	const struct landlock_handled handled = {
		.files = landlock_file_rights(abi),
		.network = abi >= ABI_NETWORK ? BIND_AND_CONNECT : 0,
		.scopes = abi >= ABI_SCOPES ? SCOPES : 0,
	};
	autofd int ruleset = abi > 0 ? landlock_open(abi, &handled) : -1;
	int r;

	if (abi == 0)
		return 0;
	r = ruleset < 0 ? ruleset : landlock_allow(ruleset, root, (extract ? writing : reading) & handled.files);
	return r < 0 ? r : landlock_enter(ruleset);
}

int confine(const struct unpack *unpack, bool extract)
{
	int r = caps_drop();

	if (r == 0)
		r = set_limits(unpack);
	if (r == 0 && (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0))
		r = -errno;
	if (r == 0)
		r = enter_landlock(unpack->root, extract);
	if (r < 0)
		return r;
	return extract ? seccomp_load(extract_filter, sizeof(extract_filter)) : seccomp_load(create_filter, sizeof(create_filter));
}
