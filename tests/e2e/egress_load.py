"""egress_load.py CASE: coffer-egress under load, on loopback alone. Each case prints figures, one line a figure, as docs/PERFORMANCE.md has them.

EGRESS_TUNNELS: how many tunnels at once (10,000). EGRESS_SOAK_SECONDS: how long the soak is (20; 600 says more).
"""
import contextlib
import os
import random
import resource
import select
import signal
import socket
import statistics
import sys
import time

from egress import Filter, connect_http, expect_tunnel, read_all, read_n, read_until

TUNNELS = int(os.environ.get("EGRESS_TUNNELS", "10000"))
SOAK = float(os.environ.get("EGRESS_SOAK_SECONDS", "20"))


def say(text):
    print("# " + text, flush=True)


def raise_limit():
    """Root's filter gets as many descriptors as it has use for; others what they may have. How many connections that is."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with contextlib.suppress(ValueError):
        if most < 1 << 16:
            resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 16, 1 << 16))
            most = 1 << 16
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return (most - 600) // 2


class Peer:
    """A server in a process of its own: echo, answer (HTTP), flood, or silence; how depends on the first byte that a connection sends."""

    def __init__(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = listener.getsockname()[1]
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(KeyboardInterrupt):
                self.serve(listener)
            os._exit(0)
        listener.close()

    def serve(self, listener):
        epoll, socks, floods, parent = select.epoll(), {}, set(), os.getppid()
        listener.setblocking(False)
        epoll.register(listener, select.EPOLLIN)
        while os.getppid() == parent:
            for fd, events in epoll.poll(1):
                if fd == listener.fileno():
                    with contextlib.suppress(BlockingIOError):
                        while True:
                            s = listener.accept()[0]
                            s.setblocking(False)
                            socks[s.fileno()] = s
                            epoll.register(s, select.EPOLLIN)
                    continue
                try:
                    keep = self.turn(socks[fd], epoll, floods, events)
                except BlockingIOError:
                    keep = True
                except OSError:
                    keep = False
                if not keep:
                    floods.discard(fd)
                    epoll.unregister(fd)
                    socks.pop(fd).close()

    @staticmethod
    def turn(s, epoll, floods, events):
        if s.fileno() in floods and events & select.EPOLLOUT:
            s.send(b"x" * 65536)
            return True
        data = s.recv(65536)
        if data[:1] == b"F":  # flood
            floods.add(s.fileno())
            epoll.modify(s, select.EPOLLOUT)
        elif data[:1] == b"S":  # silence: hears nothing more, and does not close
            epoll.modify(s, 0)
        elif data[:4] == b"GET ":
            s.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        elif data:
            s.send(data)
        return bool(data)

    def stop(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = None


@contextlib.contextmanager
def setting():
    """A peer and a filter that allows it; afterwards nothing is left of all that came in between."""
    raise_limit()
    peer = Peer()
    try:
        with Filter(["127.0.0.1"]) as f:
            yield f, peer
            until = time.monotonic() + 30
            while len(os.listdir(f"/proc/{f.process.pid}/fd")) > 12 + 130 and time.monotonic() < until:  # the pipes of streams stay
                time.sleep(0.2)
            fds = len(os.listdir(f"/proc/{f.process.pid}/fd"))
            assert fds <= 12 + 130, fds
    finally:
        peer.stop()


def drain(f):
    """The engine's part: it reads."""
    f.control.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while f.control.recv(65536):
            pass


def tunnel(f, peer, first=b""):
    s = expect_tunnel(connect_http(f, f"127.0.0.1:{peer.port}"))
    s.sendall(first)
    return s


def others(f, peer, n=100):
    """How long somebody else waits for an answer: median and worst, in ms."""
    times = []
    for _ in range(n):
        begun = time.monotonic()
        s = f.connect()
        s.sendall(f"GET http://127.0.0.1:{peer.port}/ HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        assert read_all(s).endswith(b"hello")
        s.close()
        times.append((time.monotonic() - begun) * 1000)
    drain(f)
    return statistics.median(times), max(times)


def unharmed(f, peer, what):
    median, worst = others(f, peer)
    say(f"others meanwhile ({what}): {median:.1f} ms, at worst {worst:.0f} ms")
    assert worst < 5000, worst


def case_tunnels():
    """10,000 tunnels, each with its own bytes."""
    n = min(TUNNELS, raise_limit(), 16000)
    with setting() as (f, peer):
        before, begun, clients = f.rss_kib(), time.monotonic(), []
        for at in range(0, n, 500):
            some = [connect_http(f, f"127.0.0.1:{peer.port}") for _ in range(min(500, n - at))]
            clients += [expect_tunnel(s) for s in some]
            drain(f)
        took = time.monotonic() - begun
        for i, s in enumerate(clients):
            s.sendall(b"%08d" % i)
        for i, s in enumerate(clients):
            assert read_n(s, 8) == b"%08d" % i
        rss = f.rss_kib() - before
        say(f"{n} tunnels in {took:.1f} s; {rss} KiB, {rss * 1024 // n} bytes each")
        assert rss * 1024 // n < 4096
        unharmed(f, peer, f"{n} tunnels")
        for s in clients:
            s.close()


def case_loris():
    """Heads and greetings of a byte a second: ten seconds, and they are over."""
    n = min(3000, raise_limit())
    with setting() as (f, peer):
        clients, begun = [f.connect() for _ in range(n)], time.monotonic()
        for at in range(9):
            for i, s in enumerate(clients):
                with contextlib.suppress(OSError):
                    s.sendall((b"GET http://" if i % 3 else b"\x05\x09abcdefghi")[at : at + 1])
            if at == 4:
                unharmed(f, peer, f"{n} slow heads")
            time.sleep(max(0, begun + at + 1 - time.monotonic()))
        for s in clients:
            s.settimeout(20)
            assert read_all(s)[:12] in (b"HTTP/1.1 408", b"")
        say(f"{n} slow heads: over after {time.monotonic() - begun:.1f} s")


def case_giants():
    """Heads of a megabyte."""
    with setting() as (f, peer):
        before, most = f.rss_kib(), 0
        for _ in range(5):
            clients = [f.connect() for _ in range(200)]
            for s in clients:
                s.setblocking(False)
                with contextlib.suppress(OSError):
                    s.send(b"GET http://127.0.0.1/ HTTP/1.1\r\nX: " + b"x" * (1 << 20))
            most = max(most, f.rss_kib() - before)
            unharmed(f, peer, "200 heads of 1 MiB")
            for s in clients:
                s.settimeout(20)
                with contextlib.suppress(OSError):
                    assert s.recv(12) in (b"HTTP/1.1 431", b"")
                s.close()
        say(f"1,000 heads of 1 MiB: {most} KiB")
        assert most < 96 << 10


def case_half_closed():
    """Clients that have ended, servers that neither answer nor end."""
    n = min(3000, raise_limit())
    with setting() as (f, peer):
        before = f.rss_kib()
        clients = []
        for i in range(n):
            clients.append(tunnel(f, peer, b"S"))
            clients[-1].shutdown(socket.SHUT_WR)
            if i % 500 == 0:
                drain(f)
        drain(f)
        rss = f.rss_kib() - before
        say(f"{n} half-closed tunnels: {rss} KiB")
        assert rss < 4 * n
        unharmed(f, peer, f"{n} half-closed tunnels")
        for s in clients:
            s.close()
        peer.stop()


def case_never_reading():
    """Clients that ask for a stream and take nothing of it."""
    n = min(1000, raise_limit())
    with setting() as (f, peer):
        before = f.rss_kib()
        clients = []
        for i in range(n):
            clients.append(tunnel(f, peer, b"F"))
            if i % 200 == 0:
                drain(f)
        time.sleep(3)
        drain(f)
        rss = f.rss_kib() - before
        say(f"{n} clients that never read: {rss} KiB")
        assert rss < 160 << 10, rss
        unharmed(f, peer, f"{n} that never read")
        for s in clients:
            s.close()


def case_crowd():
    """One more than there may be is told so, and the others stay."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (2000, 2000))
    peer = Peer()
    with Filter(["127.0.0.1"]) as f:
        clients = [tunnel(f, peer) for _ in range((2000 - 512) // 2)]
        s = f.connect()
        assert read_until(s, b"\r\n\r\n").startswith(b"HTTP/1.1 503 ")
        clients[0].sendall(b"still")
        assert clients[0].recv(5) == b"still"
        for s in clients[:10]:
            s.close()
        time.sleep(0.5)
        tunnel(f, peer).close()
    peer.stop()


def case_soak():
    """All of it for a while: neither memory nor descriptors grow."""

    def one(f, peer, what):
        if what == 0:
            s = tunnel(f, peer, b"x" * random.randrange(1, 100000))
            s.recv(1000)
        elif what == 1:
            s = tunnel(f, peer, b"F")
            s.recv(100000)
            s.close()
        elif what == 2:
            s = connect_http(f, "denied.test:443")
            assert b" 403 " in read_all(s)
        elif what == 3:
            s = f.connect()
            s.sendall(b"GET http://127.0.0.1" + b"x" * random.randrange(70000))
        elif what == 4:
            s = connect_http(f, "localhost:1")
            read_until(s, b"\r\n\r\n")
        else:
            s = f.connect()
            for _ in range(5):
                s.sendall(f"GET http://127.0.0.1:{peer.port}/ HTTP/1.1\r\nX: {'y' * random.randrange(5000)}\r\n\r\n".encode())
                read_until(s, b"hello")
        return s

    with setting() as (f, peer):
        begun, done, kept, figures = time.monotonic(), 0, [], []
        while time.monotonic() - begun < SOAK:
            kept.append(one(f, peer, random.randrange(6)))
            done += 1
            if len(kept) > 100:
                kept.pop(random.randrange(100)).close()
            if done % 50 == 0:
                drain(f)
            if time.monotonic() - begun > SOAK / 10 * (len(figures) + 1):
                for s in kept:
                    s.close()
                kept.clear()
                time.sleep(1)
                drain(f)
                figures.append((f.rss_kib(), len(os.listdir(f"/proc/{f.process.pid}/fd"))))
        for s in kept:
            s.close()
        say(f"{SOAK:.0f} s, {done} connections: resident {figures[0][0]} KiB after a tenth, {figures[-1][0]} at the end; descriptors {figures[0][1]}, {figures[-1][1]}")
        half = len(figures) // 2
        assert max(r for r, _ in figures[half:]) - max(r for r, _ in figures[:half]) < 2048, figures
        assert figures[-1][1] <= 12 + 130, figures


if __name__ == "__main__":
    globals()["case_" + sys.argv[1]]()
