"""tls.py CASE: drives coffer-egress-tls alone, as egress.py does coffer-egress: TLS that ends in the filter and begins anew.

The server is localhost: a name that is allowed as itself, and leads to this machine.
"""
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import egress
from egress import Filter, Server, connect_http, denied, expect_tunnel, read_all, read_body, read_until, socks

egress.PROGRAM = "coffer-egress-tls"
TOP = tempfile.mkdtemp(prefix="coffer-tls-", dir=os.environ.get("TMPDIR"))


def openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, capture_output=True, cwd=TOP)


def path(name):
    return os.path.join(TOP, name)


def text(name):
    with open(path(name), encoding="ascii") as file:
        return file.read()


def make_root(name):
    """An authority of the servers' own: NAME.pem, NAME.key."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}")


def make_server(name, names, root="root", days="2"):
    with open(path("ext"), "w", encoding="ascii") as file:
        file.write("subjectAltName=" + names)
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{root}.pem", "-CAkey", f"{root}.key", "-CAcreateserial", "-days", days, "-extfile", "ext", "-out", f"{name}.pem")


def make_ca():
    """What the engine is given: the authority of a sandbox."""
    both = subprocess.run([f"{egress.BUILD}/coffer-egress-tls", "--ca"], stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout.decode()
    cert, key = both[: both.index("-----BEGIN PRIVATE")], both[both.index("-----BEGIN PRIVATE") :]
    with open(path("ca.pem"), "w", encoding="ascii") as file:
        file.write(cert)
    return {"ca_cert": cert, "ca_key": key}


make_root("root")
make_server("good", "DNS:localhost,IP:127.0.0.1")
CA = make_ca()


class Tls:
    """A TLS server that keeps what it was sent, and answers with it."""

    def __init__(self, cert="good", answer=None, alpn=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path(f"{cert}.pem"), path(f"{cert}.key"))
        if alpn:
            self.context.set_alpn_protocols(alpn)
        self.names, self.seen, self.answer = [], [], answer
        self.context.sni_callback = lambda s, name, c: self.names.append(name)
        self.server = Server(self.handle)
        self.port = self.server.port

    def handle(self, s):
        try:
            s = self.context.wrap_socket(s, server_side=True)
        except (ssl.SSLError, OSError):
            return
        with s:
            while head := read_until(s, b"\r\n\r\n"):
                head, _, body = head.partition(b"\r\n\r\n")
                self.seen.append((head.decode("latin1"), read_body(s, head, body)))
                if self.answer:
                    self.answer(s)
                    return
                s.sendall(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\nok")


def terminating(allowed=("localhost",), denied=(), tls=None, **more):
    return Filter(list(allowed), list(denied), tls=CA | (tls or {}), roots=text("root.pem"), **more)


def client_context(ca="ca.pem", alpn=None):
    context = ssl.create_default_context(cafile=path(ca))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if alpn:
        context.set_alpn_protocols(alpn)
    return context


def inside(f, port, host="localhost", name=None, context=None):
    """A TLS connection to host through the filter."""
    raw = expect_tunnel(connect_http(f, f"{host}:{port}"))
    return (context or client_context()).wrap_socket(raw, server_hostname=name or host)


def ask(s, request, host="localhost"):
    s.sendall(request.replace("HOST", host).encode())
    answer = http.client.HTTPResponse(s)
    answer.begin()
    answer.body = answer.read()
    return answer


def get(s, target="/", headers="", host="localhost", method="GET"):
    return ask(s, f"{method} {target} HTTP/1.1\r\nHost: HOST\r\n{headers}\r\n", host)


def events(f, kind, reason):
    """Reads until an event of that kind has the reason."""
    while reason not in (event := f.event(kind))["reason"]:
        pass
    return event


def dechunk(body):
    return b"".join(body.split(b"\r\n")[1::2])


# ---- cases ----


def case_opens():
    """The client sees a certificate of the sandbox's authority; the server sees the request, kept alive, from somebody who verified it."""
    server = Tls()
    with terminating() as f:
        s = inside(f, server.port, context=client_context(alpn=["h2", "http/1.1"]))
        assert s.selected_alpn_protocol() is None  # nothing agreed: HTTP/1.1, in whatever the client offers
        issuer = dict(x[0] for x in s.getpeercert()["issuer"])
        assert issuer["commonName"] == "coffer sandbox", issuer
        for i in range(3):
            answer = get(s, f"/path?{i}", f"Host2: x\r\n", f"localhost:{server.port}")
            assert answer.status == 200 and answer.body == b"ok", answer.body
        assert server.server.served == 1 and server.names == ["localhost"], (server.server.served, server.names)
        assert server.seen[0][0].startswith(f"GET /path?0 HTTP/1.1\r\nHost: localhost:{server.port}\r\nHost2: x"), server.seen[0]
        s.close()
        event = f.event("close")
        assert event["way"] == "https" and event["bytes_up"] > 0 and event["bytes_down"] > 0, event
        # through SOCKS, by address and by name
        raw, reply = socks(f, "localhost", server.port)
        assert reply[1] == 0
        assert get(client_context().wrap_socket(raw, server_hostname="localhost"), host=f"localhost:{server.port}").status == 200
    with terminating(["127.0.0.1"]) as f:
        assert get(inside(f, server.port, "127.0.0.1"), host=f"127.0.0.1:{server.port}").status == 200


def case_large():
    """Megabytes there and back, with a client that reads late."""
    size = 8 << 20
    data = os.urandom(1 << 16) * (size >> 16)

    def answer(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + data)

    server = Tls(answer=answer)
    with terminating() as f:
        s = inside(f, server.port)
        s.sendall(f"POST /up HTTP/1.1\r\nHost: localhost:{server.port}\r\nContent-Length: {size}\r\n\r\n".encode() + data)
        time.sleep(0.5)
        assert f.rss_kib() < 40 << 10, f.rss_kib()
        answer = http.client.HTTPResponse(s)
        answer.begin()
        assert answer.read() == data
        assert server.seen[0][1] == data


def case_untrusted():
    """Servers that are not who they should be: 502, and they never see a request."""
    make_root("other")
    make_server("stranger", "DNS:localhost", root="other")
    make_server("misnamed", "DNS:elsewhere.test")
    make_server("expired", "DNS:localhost", days="-1")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "self.key", "-out", "self.pem", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")
    with terminating() as f:
        for cert, why in [("stranger", "unable to get local issuer"), ("misnamed", "hostname mismatch"), ("expired", "expired"), ("self", "self-signed")]:
            server = Tls(cert)
            answer = get(inside(f, server.port), "/secret", host=f"localhost:{server.port}")
            assert answer.status == 502 and why in answer.body.decode(), (cert, answer.body)
            assert answer.headers["X-Proxy-Error"] == "upstream-untrusted"
            assert server.seen == []
            assert why in events(f, "deny", "TLS: ")["reason"]
        plain = Server(lambda s: (s.recv(1), s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")))
        assert get(inside(f, plain.port), host=f"localhost:{plain.port}").status == 502


def case_names():
    """SNI, Host and CONNECT say the same, or nothing goes out."""
    server = Tls()
    with terminating(["localhost", "other.test"]) as f:
        raw = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        try:
            client_context().wrap_socket(raw, server_hostname="other.test")
            assert False, "another name was accepted"
        except (ssl.SSLError, OSError):
            pass
        assert f.event("deny")["reason"] == "TLS asks for another host"
        for host in ("other.test", f"localhost:{server.port + 1}", "localhost.evil.test"):
            answer = get(inside(f, server.port), host=host)
            assert answer.status == 421, (host, answer.status)
            events(f, "deny", "another host")
        answer = ask(inside(f, server.port), f"GET https://other.test/ HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n")
        assert answer.status in (400, 421), answer.status
        for bad in ("GET / HTTP/1.1\r\n\r\n", f"GET / HTTP/1.1\r\nHost: localhost:{server.port}\r\nHost: other.test\r\n\r\n"):
            assert ask(inside(f, server.port), bad).status == 400
        answer = ask(inside(f, server.port), f"CONNECT other.test:443 HTTP/1.1\r\nHost: localhost:{server.port}\r\n\r\n")
        assert answer.status == 405
        assert server.seen == []


def case_client():
    """A client that does not trust the sandbox's authority, and those that do not speak, or not to the end."""
    server = Tls()
    with terminating(tls={"handshake_ms": 300}) as f:
        try:
            inside(f, server.port, context=client_context("root.pem"))
            assert False
        except ssl.SSLCertVerificationError:
            pass
        assert "unknown ca" in f.event("deny")["reason"]
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        start = time.monotonic()
        assert s.recv(1) == b"" and 0.2 < time.monotonic() - start < 5
        s = expect_tunnel(connect_http(f, f"localhost:{server.port}"))
        s.sendall(egress.hello("localhost"))
        assert read_all(s) and time.monotonic() - start < 10  # the server's flight, then the end


def case_alpn():
    """HTTP/1.1 for whoever speaks it, also beside HTTP/2; who speaks HTTP/2 alone is refused and told why."""
    server = Tls(alpn=["h2", "http/1.1"])
    with terminating() as f:
        for offered in (["h2", "http/1.1"], ["http/1.1"], None):
            s = inside(f, server.port, context=client_context(alpn=offered))
            assert s.selected_alpn_protocol() is None and get(s, host=f"localhost:{server.port}").status == 200
        for offered in (["h2"], ["grpc-exp", "h2"], ["http/1.0", "xhttp/1.1"]):
            try:
                inside(f, server.port, context=client_context(alpn=offered))
                assert False
            except ssl.SSLError as error:
                assert "application protocol" in str(error).lower().replace("_", " "), error
            events(f, "deny", "HTTP/2 alone is offered")
        s = inside(f, server.port)
        s.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        assert read_all(s).startswith(b"HTTP/1.1 400 ") and len(server.seen) == 3
    with terminating() as f:
        url = f"https://localhost:{server.port}/"
        done = subprocess.run(["curl", "-sS", "--http2", "--cacert", path("ca.pem"), "-x", f"http://127.0.0.1:{f.port}", "--noproxy", "", "-w", "%{http_version}", url], capture_output=True, timeout=20, check=False)
        assert done.stdout == b"ok1.1", done


def case_renew():
    """Other rules while it runs: for requests, which TLS is opened, and bounds; not who opens it, nor credentials."""
    server = Tls()
    start = {"fixed": {"tlsTerminate": "aa"}, "stripped_headers": []}
    deny = [{"deny": True, "paths": ["/private/**"], "reason": "not now"}]
    with terminating(secrets=[{"placeholder": "fake_value_x", "value": "s3cret", "hosts": ["localhost"]}], **start) as f:
        s = inside(f, server.port)
        host = f"localhost:{server.port}"
        assert get(s, "/private/x", host=host).status == 200
        f.renew(["localhost"], tls={}, requests=deny, stripped_headers=["Set-Cookie"], fixed=start["fixed"])
        assert f.event("rules")["reason"] is None
        answer = get(s, "/open", "X: fake_value_x\r\n", host=host)
        assert answer.status == 200 and answer.getheader("Set-Cookie") is None and "X: s3cret" in server.seen[-1][0]
        answer = get(inside(f, server.port), "/private/x", host=host)
        assert answer.status == 403 and "not now" in answer.reason + answer.body.decode()
        for more, name in [
            ({"fixed": {"tlsTerminate": "bb"}, "tls": {}}, "tlsTerminate"),
            ({"tls": {}}, "tlsTerminate"),
            (start, "tlsTerminate"),
            ({"fixed": {"tlsTerminate": "aa", "credentials": "cc"}, "tls": {}}, "credentials"),
        ]:
            f.renew(["localhost", "other.test"], **more)
            reason = events(f, "deny", "cannot be changed while it runs")["reason"]
            assert reason.startswith(name + " "), reason
            denied(read_all(connect_http(f, "other.test:443")), "host is not on the allow list")
            assert get(inside(f, server.port), "/private/x", host=host).status == 403
        f.renew(["localhost"], tls={"excluded": ["localhost"], "tunnels_max": 1}, fixed=start["fixed"])
        f.event("rules")
        own = ssl.create_default_context(cafile=path("root.pem"))
        closed = inside(f, server.port, context=own)  # closed TLS again
        assert get(closed, "/private/x").status == 200
        f.renew(["localhost"], tls={}, fixed=start["fixed"])  # and opened: what went through unread ends
        events(f, "deny", "what it carries is read now")
        try:
            assert closed.recv(1) == b""
        except OSError:
            pass
        f.renew([], tls={}, fixed=start["fixed"])
        f.event("rules")
        denied(read_all(connect_http(f, host)), "host is not on the allow list")


KEY = {"id": "fake_value_id_of_the_key", "key": "fake_value_of_the_secret_key", "secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


def sign(secret, key_id, method, target, host, body=b"", headers=None, service="s3", names=None):
    """Signature Version 4 as AWS describes it, of a request in text."""
    headers = {"host": host, "x-amz-date": "20150830T123600Z"} | (headers or {})
    names = names or sorted(headers)
    path, _, query = target.partition("?")
    if service != "s3":
        path = urllib.parse.quote(path, safe="/-_.~")
    query = "&".join(sorted(p if "=" in p else p + "=" for p in query.split("&"))) if query else ""
    hashed = headers.get("x-amz-content-sha256", hashlib.sha256(body).hexdigest())
    canonical = "\n".join([method, path, query, *(f"{n}:{' '.join(headers[n].split())}" for n in names), "", ";".join(names), hashed])
    scope = f"20150830/us-east-1/{service}/aws4_request"
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    text = f"AWS4-HMAC-SHA256\n20150830T123600Z\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    return f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}", headers


def case_aws():
    """What a sandbox signed with placeholders reaches the service signed with the key; what cannot be signed anew does not."""
    server = Tls()
    host = f"localhost:{server.port}"
    secrets = [{"placeholder": KEY["id"], "value": "AKIDEXAMPLE"}, {"placeholder": "fake_value_token_", "value": "the-token"}]

    def request(s, method="GET", target="/", body=b"", secret=KEY["key"], headers=None, service="s3", more="", spoil=str):
        authorization, signed = sign(secret, KEY["id"], method, target, host, body, headers, service)
        lines = "".join(f"{n}: {v}\r\n" for n, v in signed.items() if n != "host")
        length = f"Content-Length: {len(body)}\r\n" if body or method != "GET" else ""
        s.sendall(f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{lines}Authorization: {spoil(authorization)}\r\n{more}{length}\r\n".encode() + body)
        answer = http.client.HTTPResponse(s)
        answer.begin()
        answer.body = answer.read()
        return answer

    with terminating(aws=[KEY], secrets=secrets) as f:
        s = inside(f, server.port)
        token = {"x-amz-security-token": "fake_value_token_"}
        unsigned = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}
        body = b"Action=GetCallerIdentity&Version=2011-06-15&Key=" + KEY["key"].encode() + KEY["id"].encode()
        for method, target, body, headers, service in [
            ("GET", "/", b"", {}, "s3"),
            ("GET", "/a%20b/c?list-type=2&prefix=x%2Fy&acl", b"", {"x-amz-content-sha256": hashlib.sha256(b"").hexdigest()}, "s3"),
            ("GET", "/a%20b/c", b"", {}, "execute-api"),
            ("POST", "/", body, {"content-type": "application/x-www-form-urlencoded"} | token, "sts"),
            ("POST", "/", os.urandom(900 << 10), {}, "lambda"),
            ("PUT", "/large", os.urandom(3 << 20), unsigned | token, "s3"),
            ("PUT", "/hashed", body, {"x-amz-content-sha256": hashlib.sha256(body).hexdigest(), "x-amz-meta-a": "two  blanks"}, "s3"),
            ("POST", "/", b"", {}, "sts"),
        ]:
            answer = request(s, method, target, body, headers=headers, service=service)
            assert answer.status == 200, (target, answer.body)
            head, got = server.seen[-1]
            real = headers | ({"x-amz-security-token": "the-token"} if "x-amz-security-token" in headers else {})
            assert got == body and f"Authorization: {sign(KEY['secret'], 'AKIDEXAMPLE', method, target, host, body, real, service)[0]}\r\n" in head + "\r\n", (target, head)
            assert KEY["secret"] not in head and (service != "s3" or "fake_value" not in head)
        # the key's own placeholder is never put in
        assert get(s, headers=f"X-Mine: {KEY['key']}\r\n", host=host).status == 200 and KEY["key"] in server.seen[-1][0]
        before = len(server.seen)
        for more, reason in [
            ({"secret": "another"}, b"does not fit its request"),
            ({"method": "POST", "body": b"x", "secret": "another"}, b"does not fit its request"),
            ({"spoil": lambda a: a.replace("host;", "host;x-not-there;")}, b"malformed"),
            ({"spoil": lambda a: a[:-1]}, b"malformed"),
            ({"spoil": lambda a: a.replace("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256")}, b"SigV4A"),
            ({"method": "PUT", "body": b"x", "headers": {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}}, b"chunks are signed one by one"),
            ({"target": f"/x?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={KEY['id']}%2F2015&X-Amz-Signature=ab"}, b"presigned"),
            ({"method": "POST", "body": bytes(2 << 20)}, b"more than 1 MiB"),
        ]:
            try:
                answer = request(inside(f, server.port), **more)
            except (ConnectionError, ssl.SSLError):  # refused while it was still talking
                assert len(more.get("body", b"")) > 1 << 20
            else:
                assert answer.status == 403 and reason in answer.reason.encode() + answer.body, (more.keys(), answer.reason, answer.body)
            events(f, "deny", reason.decode())
        assert len(server.seen) == before
    passing = {"sigv4": ["streaming", "presigned", "sigv4a"], "aws": [KEY | {"hosts": ["localhost"]}]}
    with terminating(secrets=secrets, **passing) as f:
        s = inside(f, server.port)
        answer = request(s, "PUT", "/", b"x", headers={"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"})
        assert answer.status == 200 and KEY["secret"] not in server.seen[-1][0]
        assert request(s, target=f"/x?X-Amz-Credential={KEY['id']}&X-Amz-Signature=ab").status == 200
    with terminating(aws=[KEY | {"hosts": ["other.test"]}]) as f:  # not for this host: as it is
        assert request(inside(f, server.port), secret="another").status == 200


def case_excluded():
    """A host whose TLS stays closed has its own certificate."""
    server = Tls()
    with terminating(tls={"excluded": ["localhost"]}) as f:
        s = inside(f, server.port, context=ssl.create_default_context(cafile=path("root.pem")))
        assert get(s).status == 200
        assert f.event("open")["way"] == "connect"
    with terminating(tls={"excluded": ["localhost"]}, refuse_opaque_tunnels=True) as f:
        answer = read_all(connect_http(f, f"localhost:{server.port}"))
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n") and b"X-Proxy-Error: blocked-by-sandbox-runtime" in answer, answer
        assert socks(f, "localhost", server.port)[1][1] == 1


def case_crowd():
    """maxTunnels: 503 for the next one; a place that is free is free."""
    server = Tls()
    with terminating(tls={"tunnels_max": 2}) as f:
        first, second = inside(f, server.port), inside(f, server.port)
        answer = read_all(connect_http(f, f"localhost:{server.port}"))
        assert answer.startswith(b"HTTP/1.1 503 ") and b"X-Proxy-Error: too-many-tunnels" in answer, answer
        first.close()
        f.event("close")
        assert get(inside(f, server.port), host=f"localhost:{server.port}").status == 200
        second.close()


def case_requests():
    """Rules for requests: the first that fits, allow rules are all there is, reasons, headers."""
    server = Tls()
    host = f"localhost:{server.port}"
    rules = [
        {"deny": True, "paths": ["/admin/**"], "reason": "not for machines", "why": "r/0"},
        {"hosts": ["localhost"], "methods": ["GET", "HEAD"], "paths": ["/v1/**", "/admin/**"], "headers": {"X-Team": "sandbox", "Cookie": None}, "why": "r/1"},
    ]
    with terminating(requests=rules, stripped_headers=["set_cookie"]) as f:
        answer = get(inside(f, server.port), "/v1/a?q=/admin/", "cookie: c=d\r\nX.Team: me\r\nAccept: x\r\n", host)
        assert answer.status == 200 and answer.headers["Set-Cookie"] is None and answer.headers["X-Kept"] == "yes"
        head = server.seen[-1][0]
        assert "X-Team: sandbox" in head and "X.Team" not in head and "ookie" not in head and "Accept: x" in head, head
        seen = len(server.seen)
        for target, method, reason in [
            ("/v2", "GET", "denied by sandbox policy"),
            ("/v1/a", "POST", "denied by sandbox policy"),
            ("/v1x", "GET", "denied by sandbox policy"),
            ("/admin/x", "GET", "not for machines"),
            ("/%61dmin/x", "GET", "not for machines"),
            ("/v1//..%2f../admin/x", "GET", "not for machines"),
        ]:
            answer = get(inside(f, server.port), target, host=host, method=method)
            assert answer.status == 403 and answer.reason == "Forbidden" and answer.body.decode() == reason + "\n", (target, answer.status, answer.body)
            assert answer.headers["X-Proxy-Error"] == "blocked-by-sandbox-runtime"
            assert events(f, "deny", reason)["way"] == "https"
        for target in ("/v1/../v1/a", "//v1/a", "/v1/%2e%2e/admin", "/v1\\a"):
            answer = get(inside(f, server.port), target, host=host)
            assert answer.status == 400 and (answer.headers["X-Proxy-Error"] == "ambiguous-request-target" or "\\" in target), (target, answer.status)
        assert len(server.seen) == seen
    with terminating(requests=rules[1:], ambiguous_target="normalize") as f:
        assert get(inside(f, server.port), "/x/../v1/./a?b=../c", host=host).status == 200
        assert server.seen[-1][0].startswith("GET /v1/a?b=../c "), server.seen[-1]
    with terminating(requests=rules[1:], ambiguous_target="asSpelled") as f:
        assert get(inside(f, server.port), "/v1/./a", host=host).status == 200
        assert server.seen[-1][0].startswith("GET /v1/./a "), server.seen[-1]
        assert get(inside(f, server.port), "/v1/../v2", host=host).status == 403


def case_plain():
    """Rules hold for plain HTTP too, whichever way it comes; what cannot be judged does not pass."""
    web = egress.Web()
    host = f"localhost:{web.port}"
    with terminating(requests=[{"hosts": ["localhost"], "methods": ["GET"], "why": "r"}]) as f:
        s = f.connect()
        assert ask(s, f"GET http://{host}/a HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 200
        assert ask(f.connect(), f"POST http://{host}/a HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n").status == 403
        tunnel = expect_tunnel(connect_http(f, host))
        assert ask(tunnel, f"DELETE / HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 403
        tunnel = expect_tunnel(connect_http(f, host))
        assert ask(tunnel, f"GET /b HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 200
        for first in (b"\r\nDELETE / HTTP/1.1\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00"):
            tunnel = expect_tunnel(connect_http(f, host))
            tunnel.sendall(first)
            assert read_all(tunnel) == b"", first
            events(f, "deny", "could not be judged")
        assert [head.split(b" ")[0] for head, _ in web.seen] == [b"GET", b"GET"], web.seen
    with terminating(requests=[{"hosts": ["localhost"], "headers": {"X-A": "b"}, "why": "r"}]) as f:
        answer = ask(f.connect(), f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert answer.status == 403 and b"plain-HTTP" in answer.body
    with terminating(requests=[{"hosts": ["localhost"], "headers": {"X-A": "b"}, "why": "r"}], plaintext_header_set=True, require_host_match=True) as f:
        assert ask(f.connect(), f"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\n\r\n").status == 200
        assert b"X-A: b" in web.seen[-1][0]
        answer = ask(f.connect(), f"GET http://{host}/ HTTP/1.1\r\nHost: other.test\r\n\r\n")
        assert answer.status == 421 and answer.body == b"Host header does not match the request target\n", answer.body


def case_secrets():
    """Placeholders become secrets for the hosts that they are for, over TLS alone, in headers and bodies; the rest stays as it is."""
    server, web = Tls(), egress.Web()
    host, plain = f"localhost:{server.port}", f"localhost:{web.port}"
    fake, other = "fake_value_" + "a" * 36, "fake_value_" + "b" * 36
    secrets = [
        {"placeholder": fake, "value": "hunter2-real", "hosts": ["localhost"]},
        {"placeholder": other, "value": "not-for-you", "hosts": ["elsewhere.test"]},
        {"placeholder": "fake_value_" + "c" * 36, "value": "two\r\nX-Evil: lines"},
    ]
    with terminating(secrets=secrets) as f:
        s = inside(f, server.port)
        assert get(s, f"/{fake}", f"Authorization: Bearer {fake}\r\nX-Other: {other}\r\nX-C: fake_value_{'c' * 36}\r\n", host).status == 200
        head = server.seen[-1][0]
        assert "Authorization: Bearer hunter2-real" in head and f"X-Other: {other}" in head and f"GET /{fake} " in head, head
        assert "X-Evil" not in head and "not-for-you" not in head, head
        body = f'{{"token": "{fake}", "other": "{other}"}}'
        ask(s, f"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: {len(body)}\r\n\r\n{body}", host)
        assert "ransfer-Encoding: chunked" in server.seen[-1][0] and "ontent-Length" not in server.seen[-1][0]
        assert dechunk(server.seen[-1][1]) == body.replace(fake, "hunter2-real").encode(), server.seen[-1]
        chunks = "".join(f"1\r\n{c}\r\n" for c in f"x{fake}y")
        ask(s, f"POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}0\r\n\r\n", host)
        assert dechunk(server.seen[-1][1]) == b"xhunter2-realy", server.seen[-1]
        ask(s, f"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Encoding: gzip\r\nContent-Length: {len(fake)}\r\n\r\n{fake}", host)
        assert server.seen[-1][1] == fake.encode()
        assert ask(f.connect(), f"GET http://{plain}/ HTTP/1.1\r\nHost: {plain}\r\nAuthorization: {fake}\r\n\r\n").status == 200
        assert fake.encode() in web.seen[-1][0] and b"hunter2" not in web.seen[-1][0]
        with open(f"/proc/{f.process.pid}/cmdline", "rb") as file:
            assert b"hunter2" not in file.read()
        while not f.silent():
            pass
        assert "hunter2" not in json.dumps(f.events) and "not-for-you" not in json.dumps(f.events)
    with terminating(secrets=secrets, plaintext_inject=True) as f:
        ask(f.connect(), f"GET http://{plain}/ HTTP/1.1\r\nHost: {plain}\r\nAuthorization: {fake}\r\n\r\n")
        assert b"hunter2-real" in web.seen[-1][0]


def case_upgrade():
    """A WebSocket is a tunnel once both sides have agreed."""

    def answer(s):
        s.sendall(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhi")
        while data := s.recv(100):
            s.sendall(data.upper())

    server = Tls(answer=answer)
    with terminating() as f:
        s = inside(f, server.port)
        s.sendall(f"GET /ws HTTP/1.1\r\nHost: localhost:{server.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".encode())
        head = read_until(s, b"hi")
        assert head.startswith(b"HTTP/1.1 101 ") and b"Upgrade: websocket" in head, head
        for i in range(300):
            s.sendall(b"hello" * 1000)
            got = b""
            while len(got) < 5000:
                got += s.recv(65536)
            assert got == b"HELLO" * 1000


def case_confined():
    """No file, no program, no new right; and the program without TLS refuses rules with it."""
    server = Tls()
    with terminating() as f:
        assert get(inside(f, server.port), host=f"localhost:{server.port}").status == 200
        with open(f"/proc/{f.process.pid}/status", encoding="ascii") as file:
            status = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1" and int(status["CapEff"], 16) == 0, status
        if os.geteuid() == 0:
            assert status["Uid"].split()[0] != "0"
    egress.PROGRAM = "coffer-egress"
    process, ours = egress.start(json.dumps({"allowed": [], "tls": CA, "roots": text("root.pem")}))
    assert process.wait(10) == 125 and b"coffer-egress-tls alone" in process.stderr.read()
    egress.PROGRAM = "coffer-egress-tls"
    good = {"tls": CA, "roots": text("root.pem")}
    parent = {"parent": {"http": "https://localhost"}}
    for bad, why in [
        (good | {"roots": ""}, b"no certificate to trust"),
        ({"tls": CA, "parent_roots": text("root.pem")}, b"no certificate to trust"),
        (parent, b"no certificate to trust: install ca-certificates, or name some in parentProxy.caCertPath"),
        (good | {"tls": CA | {"ca_key": "x"}}, b"no private key"),
        (good | {"tls": CA | {"ca_cert": text("good.pem")}}, b"the key is not"),
    ]:
        process, ours = egress.start(json.dumps({"allowed": []} | bad))
        assert process.wait(10) == 125
        assert why in process.stderr.read(), bad


class TlsProxy:
    """egress.Proxy behind TLS of its own. count: connections whose handshake went well."""

    def __init__(self, to, cert="good", first=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path(f"{cert}.pem"), path(f"{cert}.key"))
        self.proxy = egress.Proxy(to, first)
        self.count, self.seen = 0, self.proxy.seen
        self.server = Server(self.handle)
        self.port = self.server.port

    def handle(self, s):
        try:
            s = self.context.wrap_socket(s, server_side=True)
        except (ssl.SSLError, OSError):
            return
        self.count += 1
        self.relay(s)

    def relay(self, s):
        """Without threads, of which OpenSSL takes one at a time."""
        there = socket.create_connection(("127.0.0.1", self.proxy.port))
        held = {s: b"", there: b""}
        with there:
            s.setblocking(False)
            there.setblocking(False)
            while step(held, s, there) and step(held, there, s):
                reading, writing = [a for a, b in ((s, there), (there, s)) if not held[b]], [a for a in held if held[a]]
                select.select(reading, writing, [], 60)


def step(held, a, b):
    """What a says goes to b, as far as that is possible now. False when it is over."""
    with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError, BlockingIOError):
        while True:
            held[b] = held[b] or a.recv(16384)
            if not held[b]:
                return False
            held[b] = held[b][b.send(held[b]) :]
    return True


def case_parent():
    """A proxy behind ours that is spoken to with TLS: tunnels, single requests, TLS in TLS, and who it has to be."""
    make_server("far", "DNS:a.far.test")
    make_root("corporate")
    make_server("foreign", "DNS:localhost", "corporate")
    make_server("named", "DNS:other.test")
    echo, web = Server(egress.echo), Tls("far")
    parent = TlsProxy(echo.port)
    url = f"https://us%40er:pass@localhost:{parent.port}"
    with Filter(["*.far.test"], parent={"http": url}, roots=text("root.pem")) as f:
        s = expect_tunnel(connect_http(f, "a.far.test:22"))
        s.sendall(b"ping")
        assert egress.read_n(s, 4) == b"ping"
        assert parent.seen[-1] == b"CONNECT a.far.test:22 HTTP/1.1\r\nHost: a.far.test:22\r\nProxy-Authorization: Basic dXNAZXI6cGFzcw==\r\n\r\n", parent.seen
        block = os.urandom(1 << 20)
        threading.Thread(target=s.sendall, args=(block,), daemon=True).start()
        assert egress.read_n(s, len(block)) == block
        s.close()
        s, reply = socks(f, "b.far.test", 22)
        s.sendall(b"ping")
        assert reply[1] == 0 and egress.read_n(s, 4) == b"ping"
        for _ in range(2):
            answer = egress.exchange(f, b"GET http://a.far.test:8080/x HTTP/1.1\r\nConnection: close\r\n\r\n")
            assert answer.endswith(b"hello"), answer
        assert parent.seen[-1].startswith(b"GET http://a.far.test:8080/x HTTP/1.1\r\nHost: a.far.test:8080\r\nProxy-Authorization: Basic dXNAZXI6cGFzcw=="), parent.seen[-1]
        before = len(parent.seen)
        denied(read_all(connect_http(f, "other.test:443")), "host is not on the allow list")
        assert len(parent.seen) == before
    parent = TlsProxy(web.port)
    with terminating(["a.far.test"], parent={"http": f"https://localhost:{parent.port}"}) as f:
        s = inside(f, 443, "a.far.test")
        for _ in range(3):
            assert get(s, host="a.far.test").status == 200
        assert parent.count == 1 and parent.seen == [b"CONNECT a.far.test:443 HTTP/1.1\r\nHost: a.far.test:443\r\n\r\n"] and web.names == ["a.far.test"]
        body = "x" * 300000
        answer = ask(s, f"POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: {len(body)}\r\n\r\n{body}", "a.far.test")
        assert answer.status == 200 and web.seen[-1][1] == body.encode()
    wrong = Tls("named")  # whom the proxy leads to has to be the host all the same
    with terminating(["a.far.test"], parent={"http": f"https://localhost:{TlsProxy(wrong.port).port}"}) as f:
        answer = get(inside(f, 443, "a.far.test"), host="a.far.test")
        assert answer.status == 502 and b"TLS: hostname mismatch" in answer.body and not wrong.seen, answer.body
    for cert, more, good in [("foreign", {}, False), ("foreign", {"parent_roots": text("corporate.pem")}, True), ("named", {}, False)]:
        parent = TlsProxy(echo.port, cert)
        with Filter(["*.far.test"], parent={"http": f"https://u:secret@localhost:{parent.port}"}, roots=text("root.pem"), **more) as f:
            s = connect_http(f, "a.far.test:443")
            if good:
                expect_tunnel(s)
                continue
            answer = read_all(s)
            assert answer.startswith(b"HTTP/1.1 502 ") and b"TLS with the proxy on the way: " in answer and b"secret" not in answer, answer
            events(f, "deny", "TLS with the proxy on the way: ")
            assert socks(f, "a.far.test", 443)[1][1] == 1
            assert read_all(egress_plain(f)).startswith(b"HTTP/1.1 502 ") and parent.seen == []
    with terminating(["localhost"], parent_roots=text("corporate.pem")) as f:  # who may vouch for the proxy may not for servers
        assert get(inside(f, Tls("foreign").port)).status == 502
    plain = egress.Proxy(echo.port)
    with Filter(["*.far.test"], parent={"http": f"https://localhost:{plain.port}"}, roots=text("root.pem")) as f:
        assert read_all(connect_http(f, "a.far.test:443")).startswith(b"HTTP/1.1 502 ") and b"CONNECT" not in b"".join(plain.seen)


def case_parent_of_runs():
    """The same by settings, and by variables in srt's dialect; the certificate is a company's own."""
    make_root("corporate")
    make_server("proxy", "DNS:localhost", "corporate")
    parent = TlsProxy(9, "proxy")
    url = f"https://user:secret@localhost:{parent.port}"
    settings = {"network": {"allowedDomains": ["nowhere.test"], "parentProxy": {"http": url, "caCertPath": path("corporate.pem")}}}

    def coffer(document, *argv, env=None, program="coffer"):
        with open(path("settings.json"), "w", encoding="ascii") as file:
            json.dump(document, file)
        done = subprocess.run([f"{egress.BUILD}/{program}", *argv], env=os.environ | (env or {}), capture_output=True, timeout=60, cwd=TOP, text=True, check=False)
        assert "secret" not in done.stdout + done.stderr
        return done

    run = ["run", "--settings", path("settings.json"), "--"]
    done = coffer(settings, *run, "sh", "-c", "curl -s http://nowhere.test/; curl -s http://other.test/; env")
    assert done.stdout.startswith("helloConnection blocked by network allowlist\n"), done
    assert [head.split(b"\r\n")[2] for head in parent.seen] == [b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ="], parent.seen
    assert coffer(settings, "explain", "--settings", path("settings.json"), "--", "true").returncode == 0
    del settings["network"]["parentProxy"]["caCertPath"]
    assert "TLS with the proxy on the way: " in coffer(settings, *run, "curl", "-s", "http://nowhere.test/").stdout
    settings["network"]["parentProxy"]["caCertPath"] = path("nowhere.pem")
    done = coffer(settings, *run, "true")
    assert done.returncode == 125 and "nowhere.pem: No such file or directory" in done.stderr, done
    settings = {"network": {"allowedDomains": ["nowhere.test"], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": [], "denyWrite": []}}
    env = {"HTTP_PROXY": url, "NODE_EXTRA_CA_CERTS": path("corporate.pem")}
    assert coffer(settings, "-s", path("settings.json"), "-c", "curl -s http://nowhere.test/", env=env, program="srt").stdout == "hello"


def egress_plain(f):
    s = f.connect()
    s.sendall(b"GET http://a.far.test/ HTTP/1.1\r\n\r\n")
    return s


def case_parent_answers():
    """What a proxy with TLS may answer to CONNECT, and that not a byte behind the answer is lost."""
    echo = Server(egress.echo)
    for first, good in [
        (lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nearly"), True),
        (lambda s: s.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nlost"), False),
        (lambda s: s.sendall(b"SSH-2.0-x\r\n\r\n"), False),
        (lambda s: s.sendall(b"\r\n\r\n"), False),
        (lambda s: s.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 20000), False),
        (lambda s: s.close(), False),
    ]:
        parent = TlsProxy(echo.port, first=first)
        with Filter(["*.far.test"], parent={"http": f"https://localhost:{parent.port}"}, roots=text("root.pem")) as f:
            s = connect_http(f, "a.far.test:443")
            if good:
                expect_tunnel(s)
                s.sendall(b"ping")
                assert egress.read_n(s, 9) == b"earlyping"
            else:
                answer = read_all(s)
                assert answer.startswith(b"HTTP/1.1 502 ") and b"lost" not in answer, answer


def case_speed():
    """Not a test: bytes and requests a second."""
    size = 256 << 20
    block = bytes(1 << 20)

    def answer(s):
        s.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        for _ in range(size >> 20):
            s.sendall(block)

    big, small = Tls(answer=answer), Tls()
    with terminating() as f:
        for what, s in (("direct", ssl.create_default_context(cafile=path("root.pem")).wrap_socket(socket.create_connection(("127.0.0.1", big.port)), server_hostname="localhost")), ("filter", inside(f, big.port))):
            start, got = time.monotonic(), 0
            s.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{big.port}\r\n\r\n".encode())
            while got < size:
                got += len(s.recv(1 << 20))
            print(what, f"{size / (time.monotonic() - start) / 1e6:.0f} MB/s")
        s = inside(f, small.port)
        start = time.monotonic()
        for _ in range(2000):
            get(s, host=f"localhost:{small.port}")
        print(f"{2000 / (time.monotonic() - start):.0f} requests/s on one connection")
        context, own = client_context(), ssl.create_default_context(cafile=path("root.pem"))
        for what, connect in (("direct", lambda: own.wrap_socket(socket.create_connection(("127.0.0.1", small.port)), server_hostname="localhost")), ("filter", lambda: inside(f, small.port, context=context))):
            start = time.monotonic()
            for _ in range(100):
                get(connect(), host=f"localhost:{small.port}")
            print(what, f"{100 / (time.monotonic() - start):.0f} new tunnels/s")


if __name__ == "__main__":
    try:
        globals()["case_" + sys.argv[1]]()
    finally:
        subprocess.run(["rm", "-rf", TOP], check=False)
