#!/usr/bin/python3
"""What publish.bats runs on both sides.

    publish.py serve PORT               inside: shouts back until the peer has ended, says how much that was, then ends
    publish.py count PORT               inside: reads slowly when told to, and says how much it has read by then
    publish.py talk PORT                outside: sends, ends its half, and wants all back
    publish.py crowd PORT N             outside: N at once, each with a word of its own
    publish.py flood PORT               outside: writes as fast as it can to who does not read
    publish.py bulk PORT MIB            outside: that much there and back, whole
    publish.py free                     a port that nobody has
"""
import hashlib
import os
import socket
import sys
import threading
import time


def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(port)))
    s.listen(512)
    return s


def shout(peer):
    total = 0
    with peer:
        while data := peer.recv(65536):
            total += len(data)
            peer.sendall(data.upper())
        peer.sendall(b"!%d" % total)
        peer.shutdown(socket.SHUT_WR)


def serve(port):
    s = listen(port)
    print("listening", flush=True)
    while True:
        threading.Thread(target=shout, args=(s.accept()[0],), daemon=True).start()


def count(port):
    s = listen(port)
    print("listening", flush=True)
    peer = s.accept()[0]
    while not os.path.exists("go"):
        time.sleep(0.05)
    total = 0
    while data := peer.recv(1 << 20):
        total += len(data)
    print("read", total, flush=True)


def connect(port):
    return socket.create_connection(("127.0.0.1", int(port)), timeout=20)


def everything(s):
    data = b""
    while more := s.recv(65536):
        data += more
    return data


def talk(port):
    s = connect(port)
    s.sendall(b"hello")
    assert s.recv(5) == b"HELLO"
    s.sendall(b"more")
    s.shutdown(socket.SHUT_WR)
    print(everything(s).decode())


def crowd(port, n):
    sockets = [connect(port) for _ in range(int(n))]
    for i, s in enumerate(sockets):
        s.sendall(b"word%d" % i)
    for i, s in enumerate(sockets):
        s.shutdown(socket.SHUT_WR)
    right = sum(everything(s) == b"WORD%d!%d" % (i, len("word%d" % i)) for i, s in enumerate(sockets))
    print(right, "of", n)


def flood(port):
    s = connect(port)
    s.setblocking(False)
    total, idle = 0, 0
    while idle < 20:
        try:
            total += s.send(b"x" * 65536)
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.02)
    open("go", "w").close()
    s.setblocking(True)
    s.close()
    print("sent", total)


def bulk(port, mib):
    s = connect(port)
    block = os.urandom(1 << 19).hex().encode()
    sent, got = hashlib.sha1(), hashlib.sha1()

    def write():
        for _ in range(int(mib)):
            s.sendall(block)
        s.shutdown(socket.SHUT_WR)

    threading.Thread(target=write).start()
    start = time.monotonic()
    for _ in range(int(mib)):
        sent.update(block.upper())
    sent.update(b"!%d" % (len(block) * int(mib)))
    total = 0
    while data := s.recv(1 << 20):
        got.update(data)
        total += len(data)
    print("whole" if sent.digest() == got.digest() else "broken", total, f"{2 * total / (time.monotonic() - start) / 2**20:.0f} MiB/s", sep=" ")


def free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        print(s.getsockname()[1])


{"serve": serve, "count": count, "talk": talk, "crowd": crowd, "flood": flood, "bulk": bulk, "free": free}[sys.argv[1]](*sys.argv[2:])
