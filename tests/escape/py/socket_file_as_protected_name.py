#!/usr/bin/python3
# options: --write .
import os, socket
os.chdir(os.environ["A_WS"])
s = socket.socket(socket.AF_UNIX)
s.bind(".envrc")
raise SystemExit(42)
