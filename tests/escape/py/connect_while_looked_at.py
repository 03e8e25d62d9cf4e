#!/usr/bin/python3
# options: --write .
# A thread changes the descriptor and the address of a connect between the look and the deed.
import ctypes, os, socket, sys, threading, time
libc = ctypes.CDLL(None)
target = os.path.join(os.environ["A_WS"], "sock").encode()
local = socket.AF_UNIX.to_bytes(2, sys.byteorder) + target.ljust(108, b"\0")
inet = socket.AF_INET.to_bytes(2, sys.byteorder) + (9).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
place = ctypes.create_string_buffer(110)
end = time.monotonic() + 3
fd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()

def flip():
    while time.monotonic() < end:
        one, other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        os.dup2(one.fileno(), fd)
        ctypes.memmove(place, inet, 16)
        os.dup2(other.fileno(), fd)
        ctypes.memmove(place, local, 110)
        one.close(), other.close()

thread = threading.Thread(target=flip, daemon=True)
thread.start()
while time.monotonic() < end:
    if libc.connect(fd, place, 110) == 0:
        try:
            if socket.socket(fileno=os.dup(fd)).getpeername() == target.decode():
                os._exit(42)
        except OSError:
            pass
os._exit(1)
