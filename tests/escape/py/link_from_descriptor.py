#!/usr/bin/python3
# options: --write .
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
ws = os.environ["A_WS"]
fd = os.open(ws + "/plain", os.O_CREAT | os.O_WRONLY, 0o755)
if libc.linkat(fd, b"", -100, (ws + "/.envrc").encode(), 0x1000) == 0 or libc.linkat(-100, f"/proc/self/fd/{fd}".encode(), -100, (ws + "/.envrc").encode(), 0x400) == 0:
    raise SystemExit(42)
