"""egress_attacks.py hosts|dns [NAME]: attacks on the egress filter, each one twice: on coffer-egress, where it fails, and on the same filter without the one
check that is in its way (src/egress/weak.h), where it succeeds. An attack that fails on both shows nothing.

An attack is a function that says whether it got what it wanted. Numbers are those of the list of attacks that coffer is held against: D network,
E proxy and allow list, F names. Names stand in a hosts file, or come from a resolver of ours, that egress.bats puts in place.
"""
import contextlib
import socket
import struct
import sys
import threading
import time

import egress
from egress import Filter, Server, Web, connect_http, echo, expect_tunnel, hello, read_all, read_until, socks

ATTACKS = []


def attack(number, weak, what, where="hosts"):
    """where: what the attack needs: "hosts", or "dns", a resolver of ours."""

    def add(function):
        ATTACKS.append((number, weak, what, where, function))
        return function

    return add


def ask(f, request):
    """A request and all that it is answered."""
    s = f.connect()
    s.sendall(request if isinstance(request, bytes) else request.encode())
    s.settimeout(15)
    return read_all(s)


def tunnelled(f, target, **more):
    """Is there a tunnel that leads somewhere?"""
    s = connect_http(f, target, **more)
    if b" 200 " not in read_until(s, b"\r\n\r\n"):
        return False
    s.sendall(b"ping")
    return s.recv(4) == b"ping"


def sink(answer=b""):
    heard = []

    def handle(s):
        s.settimeout(2)
        with contextlib.suppress(OSError):
            got = s.recv(65536)
            heard.append(got)
            s.sendall(answer)
            while more := s.recv(65536):
                heard[-1] += more

    server = Server(handle)
    return server, heard


def hears(heard, what, seconds=3):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if any(what in h for h in heard):
            return True
        time.sleep(0.05)
    return False


# ---- D: the network ----


@attack("D11", "addresses", "an allowed name that leads to this machine")
def leads_to_loopback():
    server = Server(echo)
    with Filter(["*.loop.test"]) as f:
        return tunnelled(f, f"a.loop.test:{server.port}")


@attack("D11", "addresses", "the same over IPv6")
def leads_to_loopback_6():
    server = Server(echo, "::1", socket.AF_INET6)
    with Filter(["*.six.test"]) as f:
        return tunnelled(f, f"a.six.test:{server.port}")


@attack("D11", "addresses", "the same as an IPv4 address in an IPv6 one")
def leads_to_loopback_mapped():
    server = Server(echo)
    with Filter(["*.mapped.test"]) as f:
        return tunnelled(f, f"a.mapped.test:{server.port}")


@attack("D11", "addresses", "a denied address by an allowed name")
def denied_address():
    server = Server(echo)
    with Filter(["localhost"], ["127.0.0.1"]) as f:
        return tunnelled(f, f"localhost:{server.port}")


@attack("D11", "addresses", "SOCKS by name to this machine")
def socks_to_loopback():
    server = Server(echo)
    with Filter(["*.loop.test"]) as f:
        return socks(f, "a.loop.test", server.port)[1][1] == 0


# ---- E: the proxy and its lists ----


@attack("E4", "lists", "a name that ends like an allowed one")
def suffix():
    server = Server(echo)
    with Filter(["loop.test:443", "*.op.test"], allow_private=True) as f:
        return any(b"blocked-by-allowlist" not in ask(f, f"CONNECT {name}:{server.port} HTTP/1.1\r\n\r\n") for name in ("evilloop.test", "a.loop.test", "op.test", "127.0.0.1"))


@attack("E4", "lists", "an address that is not listed, by SOCKS")
def other_address():
    server = Server(echo)
    with Filter(["127.0.0.2"]) as f:
        return socks(f, "127.0.0.1", server.port, 1)[1][1] == 0


@attack("E9", "lists", "an allowed host, another port")
def other_port():
    server = Server(echo)
    with Filter([f"127.0.0.1:{server.port - 1}"]) as f:
        return tunnelled(f, f"127.0.0.1:{server.port}")


@attack("E9", "port", "a port with a zero in front")
def odd_port():
    server = Server(echo)
    with Filter(["127.0.0.1"]) as f:
        return tunnelled(f, f"127.0.0.1:0{server.port}")


@attack("E", "canonical", "SOCKS with a NUL behind the host, which C strings end at")
def nul():
    server = Server(echo)
    with Filter(["127.0.0.1"]) as f:
        return socks(f, "127.0.0.1\0.other.test", server.port)[1][1] == 0


@attack("E8", "sni", "TLS for another host than CONNECT named")
def fronting():
    server, heard = sink()
    with Filter(["localhost"]) as f:
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(hello("front.test"))
        return hears(heard, b"front.test")


@attack("E8", "sni", "the same in records of one byte")
def fronting_split():
    server, heard = sink()
    data = hello("front.test")
    with Filter(["localhost"]) as f:
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(b"".join(b"\x16\x03\x01\x00\x01" + data[i : i + 1] for i in range(5, len(data))))
        return hears(heard, data[5:6])


@attack("E8", "greeting", "an alert, then the greeting")
def alert_first():
    server, heard = sink()
    with Filter(["localhost"]) as f:
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(b"\x15\x03\x01\x00\x02\x01\x00" + hello("front.test"))
        return hears(heard, b"front.test")


@attack("E8", "odd", "a record of a version that only some servers take")
def odd_version():
    server, heard = sink()
    with Filter(["localhost"]) as f:
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(b"\x16\x02" + hello("front.test")[2:])
        return hears(heard, b"front.test")


@attack("E8", "odd", "the greeting of SSL 2, which names nobody")
def ssl2():
    server, heard = sink()
    with Filter(["localhost"]) as f:
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(b"\x80\x2e\x01\x03\x03" + b"\x00\x15\x00\x00\x00\x10" + b"x" * 37)
        return hears(heard, b"\x80\x2e\x01")


@attack("E8", "retry", "a second greeting for another host")
def second_greeting():
    retry = b"\x16\x03\x03\x00\x2c\x02\x00\x00\x28\x03\x03" + egress.RETRY + b"\x00\x13\x01\x00\x00\x00"
    server, heard = sink(retry)
    with Filter(["localhost"]) as f:
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(hello("localhost"))
        s.recv(len(retry))
        with contextlib.suppress(OSError):
            s.sendall(hello("front.test"))
        return hears(heard, b"front.test")


@attack("E", "host", "CONNECT with another Host")
def connect_host():
    server = Server(echo)
    with Filter(["127.0.0.1"]) as f:
        return tunnelled(f, f"127.0.0.1:{server.port}", host="front.test")


@attack("E14", "lines", "a line that ends in LF alone")
def bare_lf():
    web = Web()
    with Filter(["127.0.0.1"]) as f:
        return b"hello" in ask(f, f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nX: a\nY: b\r\nConnection: close\r\n\r\n")


@attack("E14", "framing", "a coding besides chunked")
def codings():
    web = Web()
    with Filter(["127.0.0.1"]) as f:
        answer = ask(f, f"POST http://127.0.0.1:{web.port}/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\nConnection: close\r\n\r\n0\r\n\r\n")
        return b"hello" in answer


@attack("E14", "quiet", "an answer that nobody asked for, taken for the next one's")
def unasked():
    def serve(s):
        read_until(s, b"\r\n\r\n")
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood")
        time.sleep(0.3)
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        s.settimeout(5)
        with contextlib.suppress(OSError):
            s.recv(1000)

    server = Server(serve)
    with Filter(["127.0.0.1"]) as f:
        s = f.connect()
        request = f"GET http://127.0.0.1:{server.port}/ HTTP/1.1\r\n\r\n".encode()
        s.sendall(request)
        read_until(s, b"good")
        time.sleep(0.6)
        s.sendall(request)
        return b"evil" in s.recv(1000)


@attack("E14", "informational", "interim answers without end")
def interim():
    server = Server(lambda s: (read_until(s, b"\r\n\r\n"), s.sendall(b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 500)))
    with Filter(["127.0.0.1"]) as f:
        return ask(f, f"GET http://127.0.0.1:{server.port}/ HTTP/1.1\r\n\r\n").count(b" 103 ") > 100


@attack("E14", "upgrade", "another protocol behind an answer")
def upgrade():
    server = Server(lambda s: (read_until(s, b"\r\n\r\n"), s.sendall(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"), s.recv(1)))
    with Filter(["127.0.0.1"]) as f:
        s = f.connect()
        s.sendall(f"GET http://127.0.0.1:{server.port}/ HTTP/1.1\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".encode())
        return b" 101 " in s.recv(1000)


@attack("E", "reuse", "the second request to another host on the first one's connection")
def reuse():
    first, second = Web(), Web()
    with Filter([f"127.0.0.1:{first.port}"]) as f:
        s = f.connect()
        s.sendall(f"GET http://127.0.0.1:{first.port}/ HTTP/1.1\r\n\r\n".encode())
        read_until(s, b"hello")
        s.sendall(f"GET http://127.0.0.1:{second.port}/ HTTP/1.1\r\n\r\n".encode())
        return b" 200 " in s.recv(1000)


@attack("E19", "fields", "a proxy's password to the server")
def password():
    web = Web()
    with Filter(["127.0.0.1"]) as f:
        ask(f, f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nProxy-Authorization: Basic secret\r\nConnection: close\r\n\r\n")
        return b"secret" in web.seen[0][0]


@attack("E", "reason", "a field that a reason brings into an answer")
def reason():
    with Filter([], [{"text": "a.b", "why": "x", "reason": "no\r\nX-Injected: yes"}]) as f:
        return b"\r\nX-Injected: yes\r\n" in ask(f, "CONNECT a.b:443 HTTP/1.1\r\n\r\n")


@attack("E12", "clock", "a head that never ends holds its connection")
def slow():
    with Filter(["127.0.0.1"]) as f:
        s = f.connect()
        s.sendall(b"GET http://127.0.0.1/")
        s.settimeout(12)
        try:
            return s.recv(100) == b"never"
        except TimeoutError:
            return True


@attack("E12", "heads", "heads that never end take all memory together")
def heads():
    with Filter(["127.0.0.1"]) as f:
        clients = [f.connect() for _ in range(2500)]
        for s in clients:
            with contextlib.suppress(OSError):
                s.sendall(b"GET http://127.0.0.1/" + b"x" * 60000)
        until = time.monotonic() + 8
        while f.rss_kib() < 100 << 10 and time.monotonic() < until:
            time.sleep(0.2)
        return f.rss_kib() > 100 << 10


@attack("-", "confine", "a filter that was taken over calls what it likes")
def unconfined():
    with Filter(["127.0.0.1"]) as f:
        with open(f"/proc/{f.process.pid}/status", encoding="ascii") as file:
            return "Seccomp:\t2" not in file.read()


# ---- F: names ----


def resolver():
    """Answers on 127.0.0.53 and gives the names that it was asked for."""
    asked, server = [], socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the one before may still be going
    server.bind(("127.0.0.53", 53))
    server.settimeout(0.1)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                try:
                    query, client = server.recvfrom(2048)
                except TimeoutError:
                    continue
                at, labels = 12, []
                while query[at]:
                    labels.append(query[at + 1 : at + 1 + query[at]].decode())
                    at += 1 + query[at]
                asked.append(".".join(labels))
                answer = b""
                if asked[-1].startswith("rebind.") and query[at + 2] == 1:  # whoever owns the name says so
                    address = b"\x7f\0\0\1"
                    answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 0, 4) + address
                server.sendto(query[:2] + b"\x81\x80\0\1" + struct.pack(">HHH", 1 if answer else 0, 0, 0) + query[12 : at + 5] + answer, client)

    threading.Thread(target=serve, daemon=True).start()
    return server, asked


@attack("F5", "lists", "a resolver hears of a name that is not allowed", where="dns")
def lookup():
    server, asked = resolver()
    with server, Filter(["allowed.test"]) as f:
        ask(f, "CONNECT secret.evil.test:443 HTTP/1.1\r\n\r\n")
        return "secret.evil.test" in asked


@attack("F6", "root", "a name is looked for below the search list", where="dns")
def search():
    server, asked = resolver()
    with server, Filter(["host.pub.test"]) as f:
        ask(f, "CONNECT host.pub.test:443 HTTP/1.1\r\n\r\n")
        return "host.pub.test.corp.test" in asked


@attack("E6", "addresses", "a server of names that leads an allowed one here", where="dns")
def rebinding():
    names, _ = resolver()
    server = Server(echo)
    with names, Filter(["*.pub.test"]) as f:
        return tunnelled(f, f"rebind.pub.test:{server.port}")


def run(number, weak, what, function):
    """What is wrong, or None."""
    egress.WEAK = None
    if function():
        return "succeeds"
    egress.WEAK = weak
    if not function():
        return f"fails without the check as well ({weak}): it shows nothing"
    return None


def main(where, name=None):
    failed = []
    for number, weak, what, needs, function in ATTACKS:
        if needs != where or name not in (None, function.__name__):
            continue
        fault = run(number, weak, what, function)
        print(f"# {number} {what}: {fault or 'refused; succeeds without ' + weak}", flush=True)
        failed += [function.__name__] if fault else []
    assert not failed, failed


if __name__ == "__main__":
    main(*sys.argv[1:])
