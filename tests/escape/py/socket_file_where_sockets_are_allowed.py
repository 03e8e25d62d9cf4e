#!/usr/bin/python3
# options: --write . --allow-all-unix-sockets
import os, socket

os.chdir(os.environ["A_WS"])
socket.socket(socket.AF_UNIX).bind(".envrc")
raise SystemExit(42)
