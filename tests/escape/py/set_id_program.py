#!/usr/bin/python3
# options: --write .
# A program that whoever runs it on the host runs as the one who owns it: by every call that takes a mode.
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
os.chdir(os.environ["A_WS"])
flags = os.O_CREAT | os.O_WRONLY


def by_openat2():
    how = (ctypes.c_uint64 * 3)(flags, 0o6755, 0)
    return libc.syscall(437, -100, b"by-openat2", how, 24) >= 0


def by_fchmod():
    with open("by-fchmod", "w") as f:
        os.fchmod(f.fileno(), 0o4755)


def by_chmod():
    open("by-chmod", "w").close()
    os.chmod("by-chmod", 0o2755)


def by_chmodat():
    open("by-chmodat", "w").close()
    os.chmod("by-chmodat", 0o6755, dir_fd=os.open(".", os.O_RDONLY))


def by_chmodat2():
    open("by-chmodat2", "w").close()
    return libc.syscall(452, -100, b"by-chmodat2", 0o4755, 0) == 0


def by_temporary():
    fd = os.open(".", os.O_TMPFILE | os.O_WRONLY, 0o4755)
    os.link(f"/proc/self/fd/{fd}", "by-temporary", follow_symlinks=True)


ways = [by_openat2, by_fchmod, by_chmod, by_chmodat, by_chmodat2, by_temporary,
        lambda: os.open("by-open", flags, 0o4711), lambda: os.mknod("by-mknod", 0o106755),
        lambda: libc.syscall(85, b"by-creat", 0o4755) if os.uname().machine == "x86_64" else -1]
os.umask(0)
for way in ways:
    try:
        way()
    except OSError:
        pass
if any(os.lstat(name).st_mode & 0o6000 for name in os.listdir() if name.startswith("by-")):
    raise SystemExit(42)
