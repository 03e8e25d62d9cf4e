#!/usr/bin/python3
# options: --write .
import os
ws = os.environ["A_WS"]
for target in ("/proc/self/mem", "/proc/1/mem", "/proc/self/fd/3", "/proc/self/fd/4", "/proc/self/fd/5", "/proc/1/environ"):
    name = ws + "/handle"
    try:
        os.unlink(name)
    except OSError:
        pass
    os.symlink(target, name)
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY | os.O_CREAT):
        try:
            fd = os.open(name, flags, 0o600)
        except OSError:
            continue
        where = os.readlink(f"/proc/self/fd/{fd}")
        if where == "/proc/1/mem" or where.startswith(("anon_inode:seccomp", "socket:")) or where == "/proc/1/environ":
            raise SystemExit(42)
        if target == "/proc/self/mem" and where != f"/proc/{os.getpid()}/mem":
            raise SystemExit(42)
