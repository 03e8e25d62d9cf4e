"""srt_proxy.py CASE: `srt proxy` with a decider of ours. SRT_PROXY is another program to ask the same of: npm's `srt proxy`."""
import base64
import contextlib
import json
import os
import queue
import shlex
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import egress
import tls
from egress import Web, read_all, read_until
from tls import Tls, path

PROGRAM = shlex.split(os.environ.get("SRT_PROXY", f"{egress.BUILD}/srt proxy"))


class Decider:
    """The other end. verdict: what a request is answered, or a function of it that gives that; None answers nothing."""

    def __init__(self, verdict={"action": "allow"}, allowed=("127.0.0.1", "localhost"), denied=(), hello=None):
        self.ours, self.theirs = socket.socketpair()
        self.verdict, self.asked, self.bodies = verdict, queue.Queue(), queue.Queue()
        self.hello = {"t": "hello", "proto": 1, "allowedDomains": list(allowed), "deniedDomains": list(denied)} if hello is None else hello
        threading.Thread(target=self.run, daemon=True).start()

    def send(self, message):
        data = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.ours.sendall(struct.pack(">I", len(data)) + data)

    def read(self):
        head = egress.read_n(self.ours, 4)
        return json.loads(egress.read_n(self.ours, struct.unpack(">I", head)[0])) if len(head) == 4 else None

    def run(self):
        with contextlib.suppress(OSError):
            assert self.read() == {"t": "hello", "proto": 1}
            self.send(self.hello)
            while message := self.read():
                (self.bodies if message["t"] == "body" else self.asked).put(message)
                answer = self.verdict(message) if callable(self.verdict) else self.verdict
                if answer:
                    self.send({"t": "verdict", "id": message["id"]} | answer)


class Proxy:
    def __init__(self, decider, *options, listen=("--listen", "127.0.0.1:0"), fds=(), env=None):
        fd = decider.theirs.fileno()
        self.process = subprocess.Popen(PROGRAM + list(listen) + ["--decider-fd", str(fd), *options], pass_fds=[fd, *fds], stderr=subprocess.PIPE, text=True, env=os.environ | (env or {}))
        decider.theirs.close()
        self.said = []
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stderr:
            self.said.append(line.rstrip("\n"))

    def __enter__(self):
        egress.wait_for(lambda: self.said)
        assert self.said[0].startswith("srt proxy: serving "), self.said
        self.port = int(self.said[0].rpartition(":")[2]) if "fd" not in self.said[0] else None
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def ends(self, why, status=0):
        assert self.process.wait(10) == status
        egress.wait_for(lambda: f"srt proxy: {why}" in self.said)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port))

    def ask(self, request):
        s = self.connect()
        s.sendall(request if isinstance(request, bytes) else request.encode())
        return s


def parse(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin1").split("\r\n")
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    return int(lines[0].split()[1]), headers, tls.dechunk(body) if headers.get("transfer-encoding") == "chunked" else body


def get(proxy, port, target="/", headers="", method="GET", body=b"", host="127.0.0.1"):
    authority = f"{host}:{port}"
    s = proxy.ask(f"{method} http://{authority}{target} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n{headers}\r\n".encode("latin1") + body)
    return parse(read_all(s))


def case_asks():
    """What the decider is told of a request, and what goes on when it allows it."""
    web, decider = Web(), Decider()
    with Proxy(decider) as proxy:
        status, _, body = get(proxy, web.port, "/a/../b%2f?x=1&y", "X-One: 1\r\nx-two: \xe9\r\nX-One: 2\r\n")
        assert (status, body) == (200, b"hello")
        asked = decider.asked.get(timeout=5)
        assert asked["headers"].pop("connection", ["close"]) == ["close"]
        assert asked == {"t": "req", "id": 1, "method": "GET", "host": "127.0.0.1", "port": web.port, "hostHeader": f"127.0.0.1:{web.port}", "path": "/a/../b%2f", "query": "x=1&y", "headers": {"x-one": ["1", "2"], "x-two": ["\xe9"]}}, asked
        assert web.seen[0][0].startswith(b"GET /a/../b%2f?x=1&y HTTP/1.1\r\n")
        # Each request, on a connection that is kept too.
        s = proxy.ask(f"GET http://127.0.0.1:{web.port}/1 HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\nGET http://127.0.0.1:{web.port}/2 HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nConnection: close\r\n\r\n")
        assert read_all(s).count(b"hello") == 2
        assert [decider.asked.get(timeout=5)["path"] for _ in range(2)] == ["/1", "/2"]
        assert "query" not in decider.asked.queue


def case_denies():
    """Every refusal says why in X-Deny-Reason; who is on no list is refused without a question."""
    web = Web()
    decider = Decider({"action": "deny", "status": 451, "reason": "not today"}, denied=[f"127.0.0.1:{web.port + 1}"])
    with Proxy(decider) as proxy:
        status, headers, body = get(proxy, web.port)
        assert (status, headers["x-deny-reason"], body) == (451, "decider", b"not today\n")
        decider.verdict = {"action": "deny", "status": 403}
        assert get(proxy, web.port)[2] == b"denied by sandbox policy\n"
        assert decider.asked.qsize() == 2
        for port, host in (web.port, "127.0.0.2"), (web.port + 1, "127.0.0.1"):
            status, headers, _ = get(proxy, port, host=host)
            assert (status, headers["x-deny-reason"]) == (403, "host_not_allowed")
        status, headers, _ = parse(read_all(proxy.ask(f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: other.test\r\n\r\n")))
        assert (status, headers["x-deny-reason"]) == (421, "misdirected")
        status, headers, _ = parse(read_all(proxy.ask(f"TRACE http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n")))
        assert (status, headers["x-deny-reason"]) == (405, "method_refused")
        status, headers, _ = parse(read_all(proxy.ask("GET / HTTP/1.1\r\n\r\n")))
        assert (status, headers["x-deny-reason"]) == (400, "bad_request")
        status, headers, _ = parse(read_all(proxy.ask(f"CONNECT 127.0.0.1:{web.port} HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n")))
        assert (status, headers["x-deny-reason"]) == (403, "opaque_tunnel")
        assert decider.asked.qsize() == 2 and not web.seen


def case_http_alone():
    """SOCKS is not spoken here: a decider is asked about HTTP."""
    with Proxy(Decider()) as proxy:
        assert not read_all(proxy.ask(b"\x05\x01\x00")).startswith(b"\x05")


def case_edits():
    """Headers that are taken out and set; a credential in place of the client's own. Without TLS only where that is asked for."""
    web = Web()
    verdict = {"action": "allow", "removeHeaders": ["x-gone"], "setHeaders": {"x-set": ["a", "b"]}}
    with Proxy(Decider(verdict)) as proxy:
        status, headers, _ = get(proxy, web.port)
        assert (status, headers["x-deny-reason"]) == (403, "plaintext_header_set")
        assert not web.seen
    decider = Decider(verdict)
    with Proxy(decider, "--plaintext-header-set", "--strip-response-header", "set-cookie", "x_secret") as proxy:
        web.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nX-Secret: b\r\nX-Kept: c\r\nContent-Length: 0\r\n\r\n"
        _, headers, _ = get(proxy, web.port, headers="X_Gone: 1\r\nX-Set: old\r\nAuthorization: mine\r\nCookie: c\r\n")
        sent = web.seen[-1][0].decode().lower()
        assert "gone" not in sent and "old" not in sent and "authorization: mine" in sent and "cookie: c" in sent
        assert "x-set: a\r\n" in sent and "x-set: b" in sent
        assert "x-kept" in headers and "set-cookie" not in headers and "x-secret" not in headers
        decider.verdict = {"action": "allow", "cred": "any", "credential": "s3cret"}
        get(proxy, web.port, headers="Authorization: mine\r\nCookie: c\r\nX-Api-Key: k\r\n")
        sent = web.seen[-1][0].decode().lower()
        assert "authorization: bearer s3cret" in sent and "mine" not in sent and "cookie" not in sent and "api-key" not in sent


def case_body():
    """A body that the decider wants to see: all of it, or as much as it wants; then the server gets it, and what followed."""
    web = Web()

    def verdict(message):
        return {"action": "allow"} if message["t"] == "body" else {"action": "need_body", "max": 1 << 20}

    decider = Decider(verdict)
    with Proxy(decider) as proxy:
        for n in 0, 1, 3000, 1 << 20, (1 << 20) + 1, 5 << 20:
            body = os.urandom(n)
            assert get(proxy, web.port, method="POST", headers=f"Content-Length: {n}\r\n", body=body)[0] == 200
            shown = decider.bodies.get(timeout=5)
            assert base64.b64decode(shown["data"]) == body[: 1 << 20], (n, len(shown["data"]))
            assert shown.get("cut") == (True if n > 1 << 20 else None)
            assert web.seen[-1][1] == body
        # In chunks
        body = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in (b"one", b"two" * 5000)) + b"0\r\nTrailer: x\r\n\r\n"
        assert get(proxy, web.port, method="PUT", headers="Transfer-Encoding: chunked\r\n", body=body)[0] == 200
        assert base64.b64decode(decider.bodies.get(timeout=5)["data"]) == b"one" + b"two" * 5000
        assert tls.dechunk(web.seen[-1][1])[:15003] == b"one" + b"two" * 5000
        # Somebody who waits to be told to go on
        s = proxy.ask(f"POST http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 4\r\n\r\n")
        assert b" 100 Continue" in read_until(s, b"\r\n\r\n")
        s.sendall(b"body")
        assert b"hello" in read_all(s)
        assert web.seen[-1][1] == b"body"
        # Denied because of what it says; and while it is read
        decider.verdict = lambda m: {"action": "deny", "status": 403, "reason": "that body"} if m["t"] == "body" else {"action": "need_body", "max": 10}
        seen = len(web.seen)
        assert get(proxy, web.port, method="POST", headers="Content-Length: 3\r\n", body=b"bad")[2] == b"that body\n"

        def deny_at_once(message):
            decider.send({"t": "verdict", "id": message["id"], "action": "need_body", "max": 10})
            time.sleep(0.2)
            return {"action": "deny", "status": 413}

        decider.verdict = deny_at_once
        assert get(proxy, web.port, method="POST", headers="Content-Length: 3\r\n", body=b"b")[0] == 413
        assert len(web.seen) == seen


def case_late():
    """No verdict in five seconds: 503; one that comes later is nobody's, and harms nobody."""
    web, decider = Web(), Decider(None)
    with Proxy(decider) as proxy:
        start = time.monotonic()
        status, headers, _ = get(proxy, web.port)
        assert (status, headers["x-deny-reason"]) == (503, "decider_unavailable")
        assert 4.5 < time.monotonic() - start < 8
        decider.send({"t": "verdict", "id": 1, "action": "allow"})
        decider.verdict = {"action": "allow"}
        assert get(proxy, web.port)[0] == 200
        # Nor does a client that has left.
        decider.verdict = None
        proxy.ask(f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n").close()
        egress.wait_for(lambda: decider.asked.qsize() == 3)
        decider.send({"t": "verdict", "id": 3, "action": "deny", "status": 403})
        decider.verdict = {"action": "allow"}
        assert get(proxy, web.port)[0] == 200
        assert len([head for head, _ in web.seen]) == 2


def case_slips():
    """Whatever breaks the protocol ends it: nobody passes, and the proxy says why."""
    web = Web()
    slips = [
        (b"{", "frame is not valid JSON"),
        (b"[]", "frame is not one JSON object"),
        ({"t": "verdict", "id": 1, "action": "allow", "more": 1}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "setHeaders": {}}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "setHeaders": {"X-Upper": ["a"]}}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "setHeaders": {"host": ["a"]}}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "setHeaders": {"authorization": ["a"]}}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "setHeaders": {"x-a": ["a\r\nb: c"]}}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "removeHeaders": ["content_length"]}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "removeHeaders": None}, None),
        ({"t": "verdict", "id": 1, "action": "allow", "cred": "x"}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "allow", "cred": "x", "credential": "a b"}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "deny", "status": 200}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "deny"}, "bad verdict frame"),
        ({"t": "verdict", "id": 1, "action": "need_body", "max": 0}, "bad verdict frame"),
        ({"t": "verdict", "id": 0, "action": "allow"}, "bad verdict frame"),
        ({"t": "verdict", "id": 7, "action": "allow"}, "verdict for id 7, which nothing waits on"),
        (b'{"t":"verdict","id":1,"id":1,"action":"allow"}', None),
    ]
    for slip, why in slips:
        decider = Decider(None)
        with Proxy(decider) as proxy:
            s = proxy.ask(f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n")
            decider.asked.get(timeout=5)
            decider.send(slip)
            status, headers, _ = parse(read_all(s))
            assert (status, headers["x-deny-reason"]) == (503, "decider_unavailable"), slip
            assert proxy.process.wait(5) == 0
            egress.wait_for(lambda: any(line.startswith("srt proxy: stopped (decider: ") for line in proxy.said))
            assert why is None or f"srt proxy: stopped (decider: {why})" in proxy.said, (slip, proxy.said)
    decider = Decider(None)
    with Proxy(decider) as proxy:
        decider.ours.sendall(struct.pack(">I", (1 << 20) + 1))
        proxy.ends("stopped (decider: oversized frame)")
    for hello in {"t": "hello", "proto": 2, "allowedDomains": [], "deniedDomains": []}, {"t": "hello", "proto": 1, "allowedDomains": ["*.com"], "deniedDomains": []}, {"t": "hello", "proto": 1}, b"x":
        proxy = Proxy(Decider(hello=hello))
        proxy.ends("decider unavailable: " + ("frame is not valid JSON" if hello == b"x" else "bad hello"), 2)
    assert not web.seen


def case_ends():
    """A lifeline, SIGTERM, the decider's end: all end it, with status 0."""
    r, w = os.pipe()
    with Proxy(Decider(), "--lifeline-fd", str(r), fds=[r]) as proxy:
        os.close(r)
        os.write(w, b"still there")
        time.sleep(0.2)
        assert proxy.process.poll() is None
        os.close(w)
        proxy.ends("stopped (lifeline closed)")
    with Proxy(Decider()) as proxy:
        proxy.process.send_signal(signal.SIGTERM)
        proxy.ends("stopped (SIGTERM)")
    decider, web = Decider(None), Web()
    with Proxy(decider) as proxy:
        s = proxy.ask(f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\n\r\n")
        decider.asked.get(timeout=5)
        decider.ours.shutdown(socket.SHUT_RDWR)
        assert parse(read_all(s))[0] == 503
        proxy.ends("stopped (decider: decider closed the stream)")
        with contextlib.suppress(OSError):
            proxy.ask("GET / HTTP/1.1\r\n\r\n")
            raise AssertionError("somebody listens")


def case_listens():
    """A socket that is handed in, of whatever kind; two pipes in place of a socket."""
    web = Web()
    where = path("socket")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(where)
        listener.listen()
        with Proxy(Decider(), listen=("--listen-fd", str(listener.fileno())), fds=[listener.fileno()]) as proxy:
            assert proxy.said[0] == f"srt proxy: serving fd {listener.fileno()}"
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(where)
                s.sendall(f"GET http://127.0.0.1:{web.port}/ HTTP/1.1\r\nHost: 127.0.0.1:{web.port}\r\nConnection: close\r\n\r\n".encode())
                assert parse(read_all(s))[0] == 200


def case_tls():
    """Tunnels are opened with the authority that is handed in, requests in them decided, servers verified."""
    server, decider = Tls(), Decider({"action": "allow", "cred": "any", "credential": "s3cret"}, allowed=["localhost"])
    r, w = os.pipe()
    os.write(w, (tls.CA["ca_cert"] + tls.CA["ca_key"]).encode())
    os.close(w)
    with Proxy(decider, "--ca-fd", str(r), fds=[r], env={"NODE_EXTRA_CA_CERTS": path("root.pem")}) as proxy:
        s = tls.inside(proxy, server.port)
        answer = tls.get(s, "/a", "Authorization: mine\r\n", host=f"localhost:{server.port}")
        assert (answer.status, answer.body) == (200, b"ok")
        asked = decider.asked.get(timeout=5)
        assert (asked["host"], asked["sni"], asked["path"], asked["hostHeader"]) == ("localhost", "localhost", "/a", f"localhost:{server.port}")
        head = server.seen[0][0].lower()
        assert "authorization: bearer s3cret" in head and "mine" not in head
        decider.verdict = {"action": "deny", "status": 403, "reason": "no"}
        answer = tls.get(s, "/b", host=f"localhost:{server.port}")
        assert (answer.status, answer.headers["X-Deny-Reason"], answer.body) == (403, "decider", b"no\n")
        assert len(server.seen) == 1
        # What is no TLS, and no HTTP either
        raw = egress.expect_tunnel(egress.connect_http(proxy, f"localhost:{server.port}"))
        raw.sendall(b"SSH-2.0-x\r\n")
        assert read_all(raw) == b""
        # Plain HTTP in a tunnel is a request like any other.
        web = Web()
        raw = egress.expect_tunnel(egress.connect_http(proxy, f"localhost:{web.port}"))
        raw.sendall(f"GET /p HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n".encode())
        assert parse(read_all(raw))[0] == 403 and not web.seen


def case_trust():
    """Without the servers' authority nothing is sent to them."""
    server, decider = Tls(), Decider(allowed=["localhost"])
    r, w = os.pipe()
    os.write(w, (tls.CA["ca_cert"] + tls.CA["ca_key"]).encode())
    os.close(w)
    with Proxy(decider, "--ca-fd", str(r), fds=[r]) as proxy:
        assert tls.get(tls.inside(proxy, server.port), host=f"localhost:{server.port}").status == 502
        assert not server.seen


if __name__ == "__main__":
    try:
        globals()["case_" + sys.argv[1]]()
    finally:
        subprocess.run(["rm", "-rf", tls.TOP], check=False)
