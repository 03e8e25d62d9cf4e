#include "unpack/confine.h"

#include "sys/confine.h"
#include "sys/filter.h"
#include "sys/landlock.h"

#include <sys/mman.h>
#include <sys/stat.h>

enum { MEMORY_BYTES = 1 << 30, FILE_SLACK = 1 << 20, DESCRIPTORS = 1024 };

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

int unpack_confine(const struct unpack *unpack, bool extract)
{
	const uint64_t reading = LANDLOCK_READ_FILE | LANDLOCK_READ_DIR;
	const uint64_t writing = reading | LANDLOCK_WRITE_FILE | LANDLOCK_REMOVE_DIR | LANDLOCK_REMOVE_FILE | LANDLOCK_MAKE_CHAR |
	                         LANDLOCK_MAKE_DIR | LANDLOCK_MAKE_REG | LANDLOCK_MAKE_SYM | LANDLOCK_REFER | LANDLOCK_TRUNCATE;

	return confine(&(struct confine){
	    .filter = extract ? extract_filter : create_filter,
	    .filter_bytes = extract ? sizeof(extract_filter) : sizeof(create_filter),
	    .root = unpack->root,
	    .rights = extract ? writing : reading,
	    .memory_bytes = MEMORY_BYTES,
	    .file_bytes = unpack->limits.bytes + FILE_SLACK,
	    .descriptors = DESCRIPTORS,
	    .cpu_s = UINT64_MAX,
	});
}
