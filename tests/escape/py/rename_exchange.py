#!/usr/bin/python3
# options: --write .
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
ws = os.environ["A_WS"]
os.makedirs(ws + "/swap/hooks", exist_ok=True)
open(ws + "/swap/hooks/pre-commit", "w").write("owned")
if libc.renameat2(-100, (ws + "/swap").encode(), -100, (ws + "/.git").encode(), 2) == 0:
    raise SystemExit(42)
