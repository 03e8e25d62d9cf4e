"""asks.py CASE: a filter of a sandbox that asks a decider, about hosts on neither list and about requests; and both kinds of deciders under load, which are slow, die, talk
nonsense, answer twice, or do not read. A proxy behind the filter stands for all hosts."""
import array
import os
import socket
import struct
import sys
import threading
import time

import egress
import egress_attacks
import srt_proxy
import tls
from egress import Filter, Web, connect_http, denied, echo, expect_tunnel, read_all, read_n, socks, wait_for
from srt_proxy import Decider, parse

MANY = int(os.environ.get("ASKS_MANY", "600"))
WAITING_MAX = 256  # of src/egress/decider_host.c


class Asks(Filter):
    """One that asks; the decider's stream comes at once, or when it is handed over."""

    def __init__(self, decider, allowed=("listed.test",), denied=("denied.test",), late=False, **more):
        self.world = Web()
        self.parent = egress.Proxy(more.pop("to", None) or egress.Server(echo).port)
        super().__init__(list(allowed), list(denied), **{"parent": {"http": f"http://127.0.0.1:{self.parent.port}", "no_proxy": ""}, "dialect": "srt", **more})
        self.decider = decider
        if not late:
            self.hand_over()

    def hand_over(self):
        fd = self.decider.theirs.fileno()
        for kind in b"O", b"I":
            self.control.sendmsg([kind], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
        self.decider.theirs.close()

    def request(self, host, method="GET", headers="", body=b"", port=80):
        s = self.connect()
        s.sendall(f"{method} http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n".encode() + body)
        return s

    def get(self, host, *more, **how):
        return read_all(self.request(host, *more, **how))


def hosts(**more):
    decider = Decider(lambda m: {"action": "allow"} if m["host"].startswith("yes") else {"action": "deny", "status": 403}, allowed=(), **more)
    return decider, {"asks_hosts": True}


ALLOW, DENY = {"action": "allow"}, {"action": "deny", "status": 403}


def case_hosts():
    """In each way of asking: the lists first, then the decider, once for a connection."""
    decider, rules = hosts()
    with Asks(decider, **rules) as f:
        s = expect_tunnel(connect_http(f, "yes.test:443"))
        s.sendall(b"ping")
        assert read_n(s, 4) == b"ping"
        assert decider.asked.get(timeout=5) == {"t": "ask", "id": 1, "host": "yes.test", "port": 443}
        event = f.event("open")
        assert (event["host"], event["rule"]) == ("yes.test", "network.asks"), event
        denied(read_all(connect_http(f, "no.test:443")), "user denied")
        s, reply = socks(f, "yes.test", 22)
        assert reply[1] == 0
        assert socks(f, "no.test", 22)[1][1] == 2
        assert f.get("yes.test").endswith(b"hello")
        denied(f.get("no.test"), "user denied", body=b"Connection blocked by network allowlist\n")
        assert [decider.asked.get(timeout=5)["host"] for _ in range(5)] == ["no.test", "yes.test", "no.test", "yes.test", "no.test"]
        # Who is on a list is nobody's question, nor is what is no host.
        assert f.get("listed.test").endswith(b"hello")
        denied(f.get("denied.test"), "host is on the deny list", body=b"Connection blocked by network allowlist\n")
        denied(read_all(connect_http(f, "x.test%00.listed.test:443")), "malformed host")
        assert decider.asked.empty()
        # Kept connections: one question for a host.
        s = f.connect()
        for _ in range(3):
            s.sendall(b"GET http://yes.test/ HTTP/1.1\r\nHost: yes.test\r\n\r\n")
            assert b"hello" in egress.read_until(s, b"hello")
        assert decider.asked.qsize() == 1
        # A reason is one line.
        decider.verdict = DENY | {"reason": "not that"}
        denied(read_all(connect_http(f, "no.test:443")), "not that")


def case_hosts_addresses():
    """A yes is about a name: where it may not lead it does not, and a host that is an address is judged as one."""
    web = Web()
    with Asks(Decider(ALLOW, allowed=()), asks_hosts=True, parent={"http": "http://127.0.0.1:9", "no_proxy": "*"}, allow_private=True) as f:
        for target, kind in (f"127.0.0.1:{web.port}", "loopback"), ("169.254.169.254:80", "cloud metadata"), (f"localhost:{web.port}", "loopback"), ("[::1]:80", "loopback"):
            assert kind.encode() in read_all(connect_http(f, target)), target
        assert not web.seen


def case_hosts_wait():
    """A command may be quicker than its decider: questions wait for the stream, and for its hello."""
    decider, rules = hosts()
    with Asks(decider, late=True, **rules) as f:
        s = connect_http(f, "yes.test:443")
        time.sleep(0.5)
        assert f.get("listed.test").endswith(b"hello")
        f.hand_over()
        expect_tunnel(s)
    with Asks(Decider(ALLOW, hello=b"{}"), asks_hosts=True) as f:
        denied(read_all(connect_http(f, "yes.test:443")), "permission prompt failed")
    with Asks(Decider(ALLOW, allowed=("any.test",)), asks_hosts=True) as f:  # the lists are not a decider's to say
        denied(read_all(connect_http(f, "any.test:443")), "permission prompt failed")


def case_hosts_renew():
    """What was allowed by an answer stays when other rules come that do not deny it."""
    decider, rules = hosts()
    with Asks(decider, **rules) as f:
        kept, ended = expect_tunnel(connect_http(f, "yes.test:443")), expect_tunnel(connect_http(f, "yes2.test:443"))
        for s in kept, ended:
            s.sendall(b"x")
            assert s.recv(1) == b"x"
        f.renew(["listed.test"], ["yes2.test"])
        assert egress.closed(ended)
        kept.sendall(b"x")
        assert kept.recv(1) == b"x"


def case_resolver():
    """A name that would be asked about has an address; the question comes with the connection. A denied one does not exist."""
    with Asks(Decider(ALLOW, allowed=()), asks_hosts=True) as f:
        resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        resolver.bind(("127.0.0.1", 0))
        port = resolver.getsockname()[1]
        f.control.sendmsg([b"D"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [resolver.fileno()]))])
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(5)
        for name, code, answers in ("any.test", 0, 1), ("denied.test", 3, 0), ("listed.test", 0, 1):
            question = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
            client.sendto(struct.pack(">HHHHHH", 7, 0x0100, 1, 0, 0, 0) + question + b"\0\0\1\0\1", ("127.0.0.1", port))
            head = struct.unpack(">HHHHHH", client.recv(512)[:12])
            assert (head[1] & 15, head[3]) == (code, answers), (name, head)
        assert f.decider.asked.empty()


def case_slips():
    """Whatever breaks the protocol is a no to all who wait; what needs no question goes on."""
    for slip in (
        b"{", b"[]", b"\xff", {}, {"t": "verdict", "id": 1}, {"t": "verdict", "id": 2, **ALLOW}, {"t": "verdict", "id": 1, "action": "need_body", "max": 1},
        {"t": "verdict", "id": 1, **ALLOW, "setHeaders": {"x": ["y"]}}, {"t": "verdict", "id": 1, **ALLOW, "cred": "x", "credential": "y"},
        {"t": "verdict", "id": True, **ALLOW}, {"t": "verdict", "id": 1, "action": "allow", "host": "other.test"}, {"t": "ask", "id": 1},
    ):
        decider = Decider(None, allowed=())
        with Asks(decider, asks_hosts=True) as f:
            s = connect_http(f, "yes.test:443")
            decider.asked.get(timeout=5)
            decider.send(slip)
            denied(read_all(s), "permission prompt failed")
            denied(read_all(connect_http(f, "yes.test:443")), "permission prompt failed")
            assert f.get("listed.test").endswith(b"hello"), slip
            assert f.event("decider")["reason"] is None and f.event("decider")["reason"], slip
    decider = Decider(None, allowed=())
    with Asks(decider, asks_hosts=True) as f:
        s = connect_http(f, "yes.test:443")
        decider.asked.get(timeout=5)
        decider.ours.sendall(struct.pack(">I", (1 << 20) + 1))
        denied(read_all(s), "permission prompt failed")


def case_requests():
    """Requests that can be seen are asked about, in TLS as well; what cannot be seen does not pass; who is refused by the lists is no question."""
    server = tls.Tls()
    decider = Decider(lambda m: ALLOW | {"setHeaders": {"x-set": ["it"]}} if m["path"] == "/a" else DENY, allowed=())
    with Asks(decider, to=server.port, asks_requests=True, tls=tls.CA, roots=tls.text("root.pem"), allowed=["localhost"], parent={"http": "http://127.0.0.1:9", "no_proxy": "*"}) as f:
        s = tls.inside(f, server.port)
        assert tls.get(s, "/a", host=f"localhost:{server.port}").status == 200
        assert (decider.asked.get(timeout=5)["sni"], "x-set: it" in server.seen[0][0].lower()) == ("localhost", True)
        answer = tls.get(s, "/b", host=f"localhost:{server.port}")
        assert (answer.status, answer.headers["X-Proxy-Error"], answer.body) == (403, "blocked-by-sandbox-runtime", b"denied by sandbox policy\n")
        raw = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        raw.sendall(b"SSH-2.0-x\r\n")
        assert read_all(raw) == b""
        assert decider.asked.qsize() == 1 and len(server.seen) == 1
    server = tls.Tls()
    with Asks(Decider(ALLOW, allowed=()), asks_requests=True, allowed=["localhost"], parent={"http": "http://127.0.0.1:9", "no_proxy": "*"}) as f:  # TLS is not opened here
        raw = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        raw.sendall(egress.hello("localhost"))
        assert read_all(raw) == b"" and not server.names


def case_both():
    """A host comes before its requests, and a no to it is the end."""
    decider = Decider(lambda m: ALLOW if m["host"] == "yes.test" else DENY, allowed=())
    with Asks(decider, asks_hosts=True, asks_requests=True) as f:
        assert f.get("yes.test").endswith(b"hello")
        assert b"403 user denied" in f.get("no.test")
        assert f.get("listed.test").startswith(b"HTTP/1.1 403 ")
        kinds = [decider.asked.get(timeout=5) for _ in range(4)]
        assert [(m["t"], m["host"]) for m in kinds] == [("ask", "yes.test"), ("req", "yes.test"), ("ask", "no.test"), ("req", "listed.test")], kinds


# ---- attacks: each fails, and succeeds on a filter without the check that is in its way (egress_attacks.py)


def address_of_this_machine():
    """It gets a yes for an address that no name may lead to."""
    server = egress.Server(echo)
    with Asks(Decider(ALLOW, allowed=()), asks_hosts=True, parent={"http": "http://127.0.0.1:9", "no_proxy": "*"}) as f:
        return egress_attacks.tunnelled(f, f"127.0.0.1:{server.port}")


def unasked():
    """A request that was allowed by nobody."""
    with Asks(Decider(DENY, allowed=()), asks_requests=True) as f:
        return f.get("listed.test").endswith(b"hello")


def prompts():
    """Whoever answers is buried in questions."""
    decider = Decider(None, allowed=())
    with Asks(decider, asks_hosts=True) as f:
        clients = crowd(lambda i: connect_http(f, f"n{i}.test:443"), WAITING_MAX + 50)
        time.sleep(1)
        return decider.asked.qsize() > WAITING_MAX and len(clients) > 0


def case_attacks():
    for weak, function in ("addresses", address_of_this_machine), ("asks", unasked), ("prompts", prompts):
        fault = egress_attacks.run("E", weak, function.__doc__, function)
        assert fault is None, (function.__name__, fault)


# ---- under load


def crowd(ask, n=MANY):
    return [ask(i) for i in range(n)]


def statuses(clients):
    """How many got which status; each within seconds."""
    counts = {}
    for s in clients:
        s.settimeout(60)
        status = int(read_all(s).split(b" ", 2)[1])
        counts[status] = counts.get(status, 0) + 1
    return counts


def case_hosts_slow():
    """Nobody answers: so many questions wait and no more, the others hear no at once, listed hosts are reached meanwhile, and memory is bounded."""
    decider = Decider(None, allowed=())
    with Asks(decider, asks_hosts=True) as f:
        before = f.rss_kib()
        clients = crowd(lambda i: connect_http(f, f"n{i}.test:443"))
        refused = clients[WAITING_MAX:]
        assert statuses(refused) == {403: MANY - WAITING_MAX}
        wait_for(lambda: decider.asked.qsize() == WAITING_MAX)
        begin = time.monotonic()
        for _ in range(20):
            assert f.get("listed.test").endswith(b"hello")
        assert time.monotonic() - begin < 30
        assert f.rss_kib() - before < 16 << 10, (before, f.rss_kib())
        for s in clients[: WAITING_MAX // 2]:  # who leaves is no longer asked about, as soon as there is an answer
            s.close()
        for i in range(1, WAITING_MAX + 1):
            decider.send({"t": "verdict", "id": i, **(ALLOW if i % 2 else DENY)})
        half = WAITING_MAX // 4
        begin = time.monotonic()
        for s in clients[WAITING_MAX // 2 : WAITING_MAX]:
            s.settimeout(60)
            half -= s.recv(12) == b"HTTP/1.1 200"
        assert half == 0 and time.monotonic() - begin < 30
        clients = crowd(lambda i: connect_http(f, f"again{i}.test:443"), WAITING_MAX)  # there is room again
        wait_for(lambda: decider.asked.qsize() == 2 * WAITING_MAX)


def case_hosts_never():
    """A minute without an answer is a no; one that comes later is nobody's."""
    decider = Decider(None, allowed=())
    with Asks(decider, asks_hosts=True) as f:
        clients = crowd(lambda i: connect_http(f, f"n{i}.test:443"), 50)
        for s in clients:
            s.settimeout(100)
        begin = time.monotonic()
        denied(read_all(clients[0]), "permission prompt failed")
        assert 55 < time.monotonic() - begin < 90
        assert statuses(clients[1:]) == {403: 49}
        for i in range(1, 51):
            decider.send({"t": "verdict", "id": i, **ALLOW})
        decider.verdict = ALLOW
        expect_tunnel(connect_http(f, "yes.test:443"))


def die(decider):
    decider.ours.shutdown(socket.SHUT_RDWR)


def nonsense(decider):
    decider.ours.sendall(os.urandom(1 << 16))


def twice(decider):
    """Who it was has heard the first answer; the second one is a slip."""
    for _ in range(2):
        decider.send({"t": "verdict", "id": 1, "action": "deny", "status": 403})


def case_hosts_dies():
    """Many wait when the decider goes, talks nonsense, or answers twice: all hear no, soon; so does who comes later; nothing has passed."""
    for end in die, nonsense, twice:
        decider = Decider(None, allowed=())
        with Asks(decider, asks_hosts=True) as f:
            clients = crowd(lambda i: connect_http(f, f"n{i}.test:443"), 200)
            wait_for(lambda: decider.asked.qsize() == 200)
            begin = time.monotonic()
            end(decider)
            assert statuses(clients) == {403: 200}, end
            assert time.monotonic() - begin < 30  # and not the minute that an answer may take
            assert statuses(crowd(lambda i: connect_http(f, f"m{i}.test:443"), 20)) == {403: 20}
            assert f.get("listed.test").endswith(b"hello")
            assert all(head.startswith(b"GET http://listed.test") for head in f.parent.seen), f.parent.seen


def ask_web(proxy, web, headers=""):
    return proxy.ask(f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nConnection: close\r\n{headers}\r\n")


def rss_kib(proxy):
    """Of srt proxy and its filter."""
    with open(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children", encoding="ascii") as file:
        pids = [proxy.process.pid, *map(int, file.read().split())]
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            total += int(file.read().split()[1]) * 4
    return total


def case_proxy_slow():
    """`srt proxy`: many wait for a decider that sleeps; each hears 503 after five seconds, and when it has woken up all is as before."""
    web, decider = Web(), Decider(None)
    with srt_proxy.Proxy(decider) as proxy:
        before = rss_kib(proxy)
        begin = time.monotonic()
        clients = crowd(lambda i: ask_web(proxy, web))
        wait_for(lambda: decider.asked.qsize() == MANY)
        grown = rss_kib(proxy) - before
        assert statuses(clients) == {503: MANY}
        assert 4.5 < time.monotonic() - begin < 60 and grown < 64 << 10, grown
        for i in range(1, MANY + 1):  # those come too late
            decider.send({"t": "verdict", "id": i, **ALLOW})
        decider.verdict = ALLOW
        assert srt_proxy.get(proxy, web.port)[0] == 200 and len(web.seen) == 1


def case_proxy_dies():
    """Many wait when it goes, talks nonsense, or answers twice: all are refused, and nothing is served any more."""
    for end in die, nonsense, twice:
        web, decider = Web(), Decider(None)
        with srt_proxy.Proxy(decider) as proxy:
            clients = crowd(lambda i: ask_web(proxy, web), 300)
            wait_for(lambda: decider.asked.qsize() == 300)
            end(decider)
            assert {503: 300 - (end == twice)} | ({403: 1} if end == twice else {}) == statuses(clients), end
            assert not web.seen
            assert proxy.process.wait(10) == 0


def case_proxy_never_reads():
    """It takes nothing of what it is asked: what waits for it is bounded, and nobody passes."""
    web, decider = Web(), Decider(ALLOW)
    stuck = threading.Event()
    decider.verdict = lambda m: (stuck.set(), time.sleep(100), None)[2]
    with srt_proxy.Proxy(decider) as proxy:
        ask_web(proxy, web)
        assert stuck.wait(10)
        before, filler = rss_kib(proxy), "".join(f"x-{i}: {'y' * 7000}\r\n" for i in range(8))
        for _ in range(2):
            counts = statuses(crowd(lambda i: ask_web(proxy, web, filler), 300))
            assert 200 not in counts and sum(counts.values()) == 300, counts
        assert rss_kib(proxy) - before < 192 << 10, rss_kib(proxy) - before
        assert not web.seen


def case_proxy_bodies():
    """It wants to see more bodies than there is memory for: who comes too late is refused."""
    web, decider = Web(), Decider({"action": "need_body", "max": 32 << 20})
    with srt_proxy.Proxy(decider) as proxy:
        clients = [
            proxy.ask(f"POST http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nContent-Length: {32 << 20}\r\nConnection: close\r\n\r\n") for _ in range(6)
        ]
        assert statuses(clients[2:]) == {503: 4}
        assert parse(read_all(clients[-1]) or b"HTTP/1.1 0 x\r\na: b\r\n\r\n")[0] in (0, 503) and not web.seen


if __name__ == "__main__":
    try:
        globals()["case_" + sys.argv[1]]()
    finally:
        import shutil

        shutil.rmtree(tls.TOP, ignore_errors=True)
