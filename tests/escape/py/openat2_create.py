#!/usr/bin/python3
# options: --write .
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
how = (ctypes.c_uint64 * 3)(os.O_WRONLY | os.O_CREAT, 0o644, 0)
fd = libc.syscall(437, -100, (os.environ["A_WS"] + "/.envrc").encode(), how, 24)
if fd >= 0:
    raise SystemExit(42)
