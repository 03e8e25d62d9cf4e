#!/usr/bin/python3
# options: --write .
import os
ws = os.environ["A_WS"]
fd = os.open(ws, os.O_TMPFILE | os.O_WRONLY, 0o755)
os.write(fd, b"owned")
os.link(f"/proc/self/fd/{fd}", ws + "/.envrc", follow_symlinks=True)
raise SystemExit(42)
