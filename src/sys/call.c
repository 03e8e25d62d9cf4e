#include "sys/call.h"

#include <stddef.h>
#include <sys/syscall.h>

/* Later than the build's headers may be; the numbers are the same everywhere since 424. */
enum { FCHMODAT2 = 452, SETXATTRAT = 463, REMOVEXATTRAT = 466, FILE_SETATTR = 469 };

enum { __ = CALL_NONE };

static const struct call calls[] = {
	/* number, kind, dir, path, dir2, path2, flags, mode */
	{ SYS_openat, CALL_OPEN, 0, 1, __, __, 2, 3 },
	{ SYS_openat2, CALL_OPEN_HOW, 0, 1, __, __, 2, __ },
	{ SYS_mkdirat, CALL_MKDIR, 0, 1, __, __, __, 2 },
	{ SYS_mknodat, CALL_MKNOD, 0, 1, __, __, __, 2 },
	{ SYS_symlinkat, CALL_SYMLINK, 1, 2, __, 0, __, __ },
	{ SYS_linkat, CALL_LINK, 0, 1, 2, 3, 4, __ },
#ifdef SYS_renameat
	{ SYS_renameat, CALL_RENAME, 0, 1, 2, 3, __, __ },
#endif
	{ SYS_renameat2, CALL_RENAME, 0, 1, 2, 3, 4, __ },
	{ SYS_unlinkat, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ SYS_truncate, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_fchmodat, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ FCHMODAT2, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ SYS_fchownat, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ SYS_utimensat, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ SYS_setxattr, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_lsetxattr, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SETXATTRAT, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ SYS_removexattr, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_lremovexattr, CALL_CHANGE, __, 0, __, __, __, __ },
	{ REMOVEXATTRAT, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ FILE_SETATTR, CALL_CHANGE, 0, 1, __, __, __, __ },
	{ SYS_connect, CALL_ADDRESS, __, 1, __, __, 2, __ },
	{ SYS_bind, CALL_ADDRESS, __, 1, __, __, 2, __ },
	{ SYS_sendto, CALL_ADDRESS, __, 4, __, __, 5, __ },
	{ SYS_kill, CALL_SIGNAL, __, 0, __, __, 1, __ },
	{ SYS_rt_sigqueueinfo, CALL_SIGNAL, __, 0, __, __, 1, __ },
	{ SYS_pidfd_send_signal, CALL_SIGNAL, __, __, __, __, 1, __ },
#ifdef SYS_open
	{ SYS_open, CALL_OPEN, __, 0, __, __, 1, 2 },
	{ SYS_creat, CALL_OPEN, __, 0, __, __, __, 1 },
	{ SYS_mkdir, CALL_MKDIR, __, 0, __, __, __, 1 },
	{ SYS_mknod, CALL_MKNOD, __, 0, __, __, __, 1 },
	{ SYS_symlink, CALL_SYMLINK, __, 1, __, 0, __, __ },
	{ SYS_link, CALL_LINK, __, 0, __, 1, __, __ },
	{ SYS_rename, CALL_RENAME, __, 0, __, 1, __, __ },
	{ SYS_unlink, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_rmdir, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_chmod, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_chown, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_lchown, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_utime, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_utimes, CALL_CHANGE, __, 0, __, __, __, __ },
	{ SYS_futimesat, CALL_CHANGE, 0, 1, __, __, __, __ },
#endif
};

const struct call *call_find(int number)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i].number == number)
			return &calls[i];
	return NULL;
}
