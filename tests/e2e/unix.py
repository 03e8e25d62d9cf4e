#!/usr/bin/python3
"""What unix.bats runs on both sides of the wall.

    unix.py serve PATH…                 on the host: answers each connection with its path, and writes that to the file contacts
    unix.py connect PATH…               one line each: what came back, or why not. A first @ is a name in no directory
    unix.py inside [PATH…]              servers and clients inside: each kind of socket at each of these paths, with a passed descriptor
    unix.py swap FOREIGN SECONDS        a name of our own that is exchanged with a host's socket all the time
    unix.py lie FOREIGN SECONDS         connects whose descriptor and address change while they are looked at
    unix.py time N                      microseconds of a socket and connect
"""
import array
import ctypes
import errno
import os
import socket
import sys
import threading
import time

KINDS = {"stream": socket.SOCK_STREAM, "seqpacket": socket.SOCK_SEQPACKET}


def address(path):
    return "\0" + path[1:] if path.startswith("@") else path


def serve(*paths):
    listeners = []
    for path in paths:
        s = socket.socket(socket.AF_UNIX)
        s.bind(address(path))
        if not path.startswith("@"):
            os.chmod(path, 0o777)
        s.listen(64)
        listeners.append(threading.Thread(target=answer, args=(s, path)))
        listeners[-1].start()
    print("ready", flush=True)


def answer(s, path):
    while True:
        peer = s.accept()[0]
        with open("contacts", "a", encoding="utf-8") as file:
            file.write(path + "\n")
        try:
            peer.sendall(path.encode())
        except OSError:
            pass
        peer.close()


def connect(*paths):
    for path in paths:
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        try:
            s.connect(address(path))
            print(path, s.recv(100).decode() or "nothing")
        except OSError as e:
            print(path, errno.errorcode.get(e.errno, e))


def inside(*paths):
    for path in paths:
        for name, kind in KINDS.items():
            there = f"{path}.{name}"
            server = socket.socket(socket.AF_UNIX, kind)
            server.bind(address(there))
            server.listen()
            client = socket.socket(socket.AF_UNIX, kind)
            client.settimeout(5)
            client.connect(address(there))
            peer = server.accept()[0]
            read, write = os.pipe()
            peer.sendmsg([b"take"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write]))])
            data, control, _, _ = client.recvmsg(100, 100)
            os.write(array.array("i", control[0][2][:4])[0], b"given")
            assert data == b"take" and os.read(read, 10) == b"given"
            assert client.getpeername() == (address(there).encode() if path.startswith("@") else there) and client.gettimeout() == 5
            assert not os.get_inheritable(client.fileno()) and not os.get_inheritable(server.fileno())
            client.sendall(b"x")
            client.shutdown(socket.SHUT_WR)
            assert peer.recv(10) == b"x" and peer.recv(10) == b""
            print(there, "ok")


def swap(foreign, seconds):
    """Whoever answers nothing is not ours. SWAPPED is bound to a name of ours, and the two names change places all the time."""
    ours = foreign + ".ours"
    server = socket.socket(socket.AF_UNIX)
    server.bind(ours)
    server.listen(64)
    threading.Thread(target=greet, args=(server,), daemon=True).start()
    threading.Thread(target=exchange, args=(ours, foreign), daemon=True).start()
    end = time.monotonic() + float(seconds)
    met = {"ours": 0, "refused": 0}
    while time.monotonic() < end:
        s = socket.socket(socket.AF_UNIX)
        try:
            s.connect(ours)
            word = s.recv(100).decode()
        except OSError:
            word = "refused"
        met[word] = met.get(word, 0) + 1
        s.close()
    assert set(met) == {"ours", "refused"} and met["ours"] > 10, met
    print("held", flush=True)
    os._exit(0)


def greet(server):
    while True:
        peer = server.accept()[0]
        try:
            peer.sendall(b"ours")
        except OSError:
            pass
        peer.close()


def exchange(one, other):
    libc = ctypes.CDLL(None)
    while True:
        if libc.renameat2(-100, one.encode(), -100, other.encode(), 2) != 0:
            time.sleep(0.01)


def lie(foreign, seconds):
    """The call is looked at with an internet socket and address, and goes on with another one."""
    libc = ctypes.CDLL(None)
    target = ctypes.create_string_buffer(socket.AF_UNIX.to_bytes(2, sys.byteorder) + foreign.encode().ljust(108, b"\0"), 110)
    harmless = socket.AF_INET.to_bytes(2, sys.byteorder) + (9).to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    place = ctypes.create_string_buffer(110)
    end = time.monotonic() + float(seconds)
    fd = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach()

    def flip():
        while time.monotonic() < end:
            inet, local = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_UNIX)
            os.dup2(inet.fileno(), fd)
            ctypes.memmove(place, harmless, 16)
            os.dup2(local.fileno(), fd)
            ctypes.memmove(place, target, 110)
            inet.close()
            local.close()

    threads = [threading.Thread(target=flip)]
    threads[0].start()
    tries = 0
    while time.monotonic() < end:
        libc.connect(fd, place, 110)
        tries += 1
    threads[0].join()
    print("held" if tries > 100 else f"only {tries} tries")


def measure(n):
    server = socket.socket(socket.AF_UNIX)
    server.bind("@timed".replace("@", "\0"))
    server.listen(int(n))
    best = {"socket": 1e9, "connect": 1e9}
    for _ in range(5):
        sockets = []
        start = time.perf_counter()
        for _ in range(int(n)):
            sockets.append(socket.socket(socket.AF_UNIX))
        middle = time.perf_counter()
        for s in sockets:
            s.connect("\0timed")
        end = time.perf_counter()
        best["socket"] = min(best["socket"], (middle - start) / int(n) * 1e6)
        best["connect"] = min(best["connect"], (end - middle) / int(n) * 1e6)
        for s in sockets:
            s.close()
            server.accept()[0].close()
    print({name: round(us, 1) for name, us in best.items()})


{"serve": serve, "connect": connect, "inside": inside, "swap": swap, "lie": lie, "time": measure}[sys.argv[1]](*sys.argv[2:])
