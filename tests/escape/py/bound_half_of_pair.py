#!/usr/bin/python3
# options: --write .
import os, socket
os.chdir(os.environ["A_WS"])
half, other = socket.socketpair()
half.bind(".envrc")
raise SystemExit(42)
