#!/usr/bin/python3
# options: --write .
# The name of a socket made inside and that of a host's change places all the time.
import ctypes, os, socket, threading, time
os.chdir(os.environ["A_WS"])
libc = ctypes.CDLL(None)
server = socket.socket(socket.AF_UNIX)
server.bind("ours")
server.listen(64)
def greet():
    while True:
        server.accept()[0].send(b"ours")
def exchange():
    while True:
        if libc.renameat2(-100, b"ours", -100, b"sock", 2):
            time.sleep(0.01)
for run in (greet, exchange):
    threading.Thread(target=run, daemon=True).start()
end = time.monotonic() + 3
while time.monotonic() < end:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(0.3)
    try:
        client.connect("ours")
    except OSError:
        continue
    try:
        client.recv(10)
    except socket.timeout:
        os._exit(42)
os._exit(1)
