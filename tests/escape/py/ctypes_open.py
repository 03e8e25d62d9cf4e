#!/usr/bin/python3
# options: 
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.open(os.environ["A_OUT"].encode() + b"/secret", 0)
if fd >= 0 and b"CANARY" in os.read(fd, 100):
    raise SystemExit(42)
