#!/usr/bin/python3
# options: 
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 18099))
s.listen()
s.settimeout(1.5)
try:
    s.accept()
    raise SystemExit(42)
except socket.timeout:
    raise SystemExit(1)
