#include "sys/call.h"

#include <stddef.h>
#include <sys/syscall.h>

/* Later than the build's headers may be; the numbers are the same everywhere since 424. */
enum { FCHMODAT2 = 452, SETXATTRAT = 463, REMOVEXATTRAT = 466 };

enum { NO = CALL_NONE };

static const struct call calls[] = {
	/* number, kind, dir, path, dir2, path2, flags, mode */
	{ SYS_openat, CALL_OPEN, 0, 1, NO, NO, 2, 3 },
	{ SYS_mkdirat, CALL_MKDIR, 0, 1, NO, NO, NO, 2 },
	{ SYS_mknodat, CALL_MKNOD, 0, 1, NO, NO, NO, 2 },
	{ SYS_symlinkat, CALL_SYMLINK, 1, 2, NO, 0, NO, NO },
	{ SYS_linkat, CALL_LINK, 0, 1, 2, 3, 4, NO },
#ifdef SYS_renameat
	{ SYS_renameat, CALL_RENAME, 0, 1, 2, 3, NO, NO },
#endif
	{ SYS_renameat2, CALL_RENAME, 0, 1, 2, 3, 4, NO },
	{ SYS_unlinkat, CALL_REMOVE, 0, 1, NO, NO, 2, NO },
	{ SYS_truncate, CALL_TRUNCATE, NO, 0, NO, NO, 1, NO },
	{ SYS_bind, CALL_BIND, 0, 1, NO, NO, 2, NO },
	{ SYS_fchmodat, CALL_METADATA, 0, 1, NO, NO, NO, NO },
	{ FCHMODAT2, CALL_METADATA, 0, 1, NO, NO, NO, NO },
	{ SYS_fchownat, CALL_METADATA, 0, 1, NO, NO, NO, NO },
	{ SYS_utimensat, CALL_METADATA, 0, 1, NO, NO, NO, NO },
	{ SYS_setxattr, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_lsetxattr, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SETXATTRAT, CALL_METADATA, 0, 1, NO, NO, NO, NO },
	{ SYS_removexattr, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_lremovexattr, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ REMOVEXATTRAT, CALL_METADATA, 0, 1, NO, NO, NO, NO },
	{ SYS_connect, CALL_CONNECT, 0, 1, NO, NO, 2, NO },
	{ SYS_sendto, CALL_ADDRESS, NO, 4, NO, NO, 5, NO },
	{ SYS_kill, CALL_SIGNAL, NO, 0, NO, NO, 1, NO },
	{ SYS_rt_sigqueueinfo, CALL_SIGNAL, NO, 0, NO, NO, 1, NO },
	{ SYS_umask, CALL_UMASK, NO, NO, NO, NO, 0, NO },
	{ SYS_pidfd_send_signal, CALL_SIGNAL, NO, NO, NO, NO, 1, NO },
#ifdef SYS_open
	{ SYS_open, CALL_OPEN, NO, 0, NO, NO, 1, 2 },
	{ SYS_creat, CALL_OPEN, NO, 0, NO, NO, NO, 1 },
	{ SYS_mkdir, CALL_MKDIR, NO, 0, NO, NO, NO, 1 },
	{ SYS_mknod, CALL_MKNOD, NO, 0, NO, NO, NO, 1 },
	{ SYS_symlink, CALL_SYMLINK, NO, 1, NO, 0, NO, NO },
	{ SYS_link, CALL_LINK, NO, 0, NO, 1, NO, NO },
	{ SYS_rename, CALL_RENAME, NO, 0, NO, 1, NO, NO },
	{ SYS_unlink, CALL_REMOVE, NO, 0, NO, NO, NO, NO },
	{ SYS_rmdir, CALL_RMDIR, NO, 0, NO, NO, NO, NO },
	{ SYS_chmod, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_chown, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_lchown, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_utime, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_utimes, CALL_METADATA, NO, 0, NO, NO, NO, NO },
	{ SYS_futimesat, CALL_METADATA, 0, 1, NO, NO, NO, NO },
#endif
};

const struct call *call_find(int number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}
