#!/usr/bin/python3
# options: --write .
# One half of a pair, which needs no leave, can be bound as well.
import os, socket

os.chdir(os.environ["A_WS"])
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
one.bind(".envrc")
raise SystemExit(42)
