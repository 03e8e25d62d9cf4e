#!/usr/bin/env python3
"""Writes the seeds of the targets path, glob, mask, target, domain, sni, dns, verdict, channel, code_command, proxy_request, plan_decode and archive below fuzz/corpus/. Run it again when ops.def changes."""

import pathlib
import re
import struct
import subprocess
import sys

here = pathlib.Path(__file__).parent
source = here.parent / "src/plan"

PATHS = {
    "root": "/",
    "plain": "/usr/bin",
    "dots": "/a/./b/../c//d/",
    "above": "/a/../..",
    "relative": "src/../x\n/home/u/work",
    "up": "../../..\n/a/b/c",
    "home": "~\n/\n/home/u",
    "below-home": "~/.ssh/id\n/base\n/home/u",
    "user": "~root/x\n/\n/home/u",
    "no-home": "~/x\n/",
    "root-home": "~/../x\n/\n/",
    "hidden": "/...//..a/.b./~",
    "long-name": "/" + "n" * 256,
    "long": "/abcd" * 820,
    "deep": "x\n" + "/a" * 2047,
    "bytes": b"/\xff\x01/\xc3\xa9",
    "empty": "",
}

TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEifQ.c2lnbmF0dXJl"
MASKS = {
    "whole": "w\ns3cret\n",
    "netrc": "wpassword (\\S+)\nmachine a password x1 # x1\n",
    "duplicates": "dkey=(\\w+)\nkey=abc key=ab abc ab abcd",
    "token": "j\n{\"a\": \"" + TOKEN + "\"}",
    "lazy": "w<(.*?)>|\\[([^\\]]+)\nx <a> [b] <>",
    "counts": "w(a{2,3}?)b{0,2}\\b\naaaab aab",
    "groups": "w(?:(x|y)+)?z\nxyz z",
    "utf8": "w(é+)\né è éé",
}
TARGETS = {"plain": "/a/b?c", "dots": "/a/../b/./c/..", "encoded": "/%2e%2E/%61%2f..%2fb", "slashes": "//a///b\\\\c\\..", "twice": "/%252e%252e/x", "bad": "/%zz%0", "empty": ""}

GLOBS = {
    "root": ("/", "/"),
    "literal": ("/a/b", "/a/b"),
    "star": ("/a*c/*", "/abbc/d"),
    "question": ("/?b?", "/abc"),
    "deep": ("/**/x/**/y", "/x/x/y/y"),
    "deep-end": ("/a/**", "/a"),
    "not-deep": ("/a**b/***", "/axb/c"),
    "set": ("/[a-c!][!x]", "/by"),
    "set-first": ("/[]a][!]a]", "/]b"),
    "set-quoted": ("/[\\]\\-x][a-\\z]", "/-m"),
    "set-open": ("/[ab/[]/[!]", "/[ab/[]/[!]"),
    "set-slash": ("/[a/b]", "/[a/b]"),
    "quoted": ("/\\*\\?\\\\x\\", "/*?\\x\\"),
    "slashes": ("//a//*", "/a/b//"),
    "worst": ("/" + "*a" * 200, "/" + "a" * 400),
    "worst-deep": ("/**/a" * 100 + "/b", "/a" * 200),
    "bytes": (b"/[\x80-\xff]*", b"/\xc3\xa9"),
    "one-line": (b"/a/b[*", None),
}

DOMAINS = {
    "exact": ("www.example.com", "WWW.example.com:443"),
    "below": ("a.b.example.com", "*.example.com"),
    "apex": ("example.com.", "*.example.com:80"),
    "suffix": ("evilexample.com", "*.example.com"),
    "any": ("x.y", "*:80"),
    "ipv4": ("127.0.0.1", "127.0.0.1:80"),
    "ipv6": ("[::1]", "[0::1]:80"),
    "mapped": ("[::ffff:10.0.0.1]", "10.0.0.1"),
    "nat64": ("[64:ff9b::7f00:1]", "[64:ff9b::]"),
    "octal": ("0177.0.0.1", "0177.0.0.1"),
    "hex": ("0x7f.1", "*.0x7f"),
    "integer": ("2130706433", "2130706433:1"),
    "zone": ("[fe80::1%lo]", "[fe80::1%lo]:80"),
    "nul": ("a.b\0.c", "a.b\0.c"),
    "unicode": ("b\u00fccher.example", "*.\uff0ecom"),
    "label": ("a" * 63 + ".b", "a" * 64 + ".b"),
    "long": ("a." * 126 + "b", "*." + "a." * 126 + "b"),
    "localhost": ("localhost", "localhost:3000"),
}

GET, POST, CHUNKED = "GET http://a.b/x?y HTTP/1.1\r\n", "POST http://a.b:81/ HTTP/1.1\r\n", "Transfer-Encoding: chunked\r\n"
REQUESTS = {
    "get": GET + "Host: c.d\r\nAccept: */*\r\n\r\n",
    "connect": "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n",
    "connect-ipv6": "CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
    "post": POST + "Content-Length: 5\r\n\r\nhelloGET",
    "chunks": POST + CHUNKED + "\r\n3;x=y\r\nabc\r\n0\r\nT: x\r\n\r\nGET",
    "both": POST + CHUNKED + "Content-Length: 5\r\n\r\n0\r\n\r\n",
    "hops": GET + "Connection: X-A, close\r\nX-A: 1\r\nProxy-Authorization: x\r\nTE: t\r\nUpgrade: h2c\r\nExpect: 100-continue\r\n\r\n",
    "folded": GET + "X: a\r\n b\r\n\r\n",
    "bare-lf": GET + "X: a\n\r\n",
    "old": "HEAD http://a.b HTTP/1.0\r\n\r\n",
    "socks-name": b"\5\1\0\5\1\0\3\3a.b\1\xbb",
    "socks-ipv4": b"\5\2\0\2\5\1\0\1\x7f\0\0\1\0\x50",
    "socks-ipv6": b"\5\1\0\5\1\0\4" + b"\0" * 15 + b"\1\0\x50",
}


def client_hello(*names, extension=b""):
    """A ClientHello, without its record."""
    listed = b"".join(struct.pack(">BH", 0, len(name)) + name for name in names)
    sni = struct.pack(">HHH", 0, len(listed) + 2, len(listed)) + listed if names else b""
    body = b"\3\3" + b"r" * 32 + b"\0" + b"\0\2\x13\1" + b"\1\0" + struct.pack(">H", len(sni + extension)) + sni + extension
    return b"\1" + len(body).to_bytes(3, "big") + body


def records(message, size):
    parts = [message[i : i + size] for i in range(0, len(message), size)]
    return b"".join(b"\x16\3\1" + struct.pack(">H", len(part)) + part for part in parts)


def hellos():
    yield "one", records(client_hello(b"example.com"), 1 << 14)
    yield "split", records(client_hello(b"example.com"), 7)
    yield "bytes", records(client_hello(b"a.b"), 1)
    yield "absent", records(client_hello(), 1 << 14)
    yield "two-names", records(client_hello(b"a.b", b"c.d"), 1 << 14)
    yield "two-extensions", records(client_hello(b"a.b", extension=b"\0\0\0\x08\0\6\0\0\3c.d"), 1 << 14)
    yield "grease", records(client_hello(b"a.b", extension=b"\x0a\x0a\0\0\xfe\x0d\0\2xy"), 1 << 14)
    yield "early-data", records(client_hello(b"a.b"), 1 << 14) + b"\x14\3\3\0\1\1\x17\3\3\0\1x"
    yield "alert", b"\x15\3\1\0\2\1\0"
    yield "ssh", b"SSH-2.0-x\r\n"


def operations():
    """name → operand kinds, in the order of ops.def."""
    lines = re.findall(r"^OP\((\w+),\s*\w+,\s*\w+,\s*\w+,\s*\"(\w*)\"", (source / "ops.def").read_text(), re.M)
    return dict(lines)


OPS = operations()
CODES = {name: code for code, name in enumerate(OPS)}


class Plan:
    """The encoder of src/plan/build.c, in few words and without its checks."""

    def __init__(self, notes=()):
        self.bytes = b"".join(note.encode() + b"\0" for note in notes)
        self.notes, self.ops, self.slots = len(notes), [], 4

    def put(self, data):
        at = len(self.bytes)
        self.bytes += data
        return at

    def operand(self, kind, value):
        if kind in "nt":
            return value
        if kind == "l":
            data = b"".join(item.encode() + b"\0" for item in value)
            return self.put(data) << 32 | len(data)
        if kind == "b":
            self.put(b"\0" * (-len(self.bytes) % 8))
            return self.put(value) << 32 | len(value)
        return self.put(value.encode() + b"\0") << 32 | len(value.encode())

    def add(self, name, *values, why="default"):
        args = [self.operand(kind, value) for kind, value in zip(OPS[name], values, strict=True)]
        self.ops.append((CODES[name], self.put(why.encode() + b"\0"), args + [0] * (6 - len(args))))
        return self

    def end(self):
        data = self.bytes + b"\0"
        head = struct.pack("<6I", 0x72666F63, 1, len(self.ops), self.notes, len(data), self.slots)
        return head + b"".join(struct.pack("<HHI6Q", code, 0, why, *args) for code, why, args in self.ops) + data


FILTER = struct.pack("<HBBIHBBI", 0x20, 0, 0, 0, 0x06, 0, 0, 0x7FFF0000)
NAMESPACES = 0x7E020000


def lock(plan, init=False):
    plan.add("CAPS_DROP").add("NO_NEW_PRIVS")
    plan.add("LANDLOCK_OPEN", 7, 0xFFFF, 3, 3).add("LANDLOCK_PATH", "/usr", 13).add("LANDLOCK_ENTER")
    if init:
        plan.add("INIT", FILTER, 3, ["r/", "w/srv"], ["w/srv/**/.git", "+/srv/x"], ["a", "b", "c", "d"])
    plan.add("CLOSE_FDS").add("SECCOMP", FILTER, int(init))
    return plan.add("EXEC", ["/usr/bin/env", "/bin/env"], ["env", "a b"], ["PATH=/bin", "API_KEY=x"])


def root(plan):
    plan.add("PRIVATE").add("TREE", 1, "/usr", 39, 0, 0).add("ROOT_NEW", 65536, 100).add("DIR", "/usr", 0o755)
    plan.add("PLACE", 1, "/usr").add("TMPFS", "/tmp", 6, 1 << 20, 100, 0o1777).add("PROC", "/proc", 2)
    plan.add("FILE", "/etc/hosts", 0o644, b"127.0.0.1 localhost\n").add("LINK", "/bin", "usr/bin")
    return plan


def plans():
    yield "rung-two", lock(Plan().add("SPAWN", 0)).end()
    yield "empty", Plan().end()
    yield "notes", lock(Plan(["one", "", "three"]).add("SPAWN", 0)).end()
    whole = Plan(["a note"]).add("WATCH", 1000, 1 << 20, 2**64 - 1, 0, why="--timeout")
    whole.add("CGROUP_MAKE", 0, "/sys/fs/cgroup/r").add("CGROUP_SET", "/sys/fs/cgroup/r/pids.max", "10")
    whole.add("CGROUP_JOIN", "/sys/fs/cgroup/r/cgroup.procs").add("HOST_TREE", 0, "/srv", 6, 2049, 7)
    whole.add("TREE_IDMAP", 0, 0, 1, 0, 1).add("WARDEN_USER", 7, 7).add("SPAWN", NAMESPACES)
    whole.add("IDMAP", 1000, 7, 1000, 7).add("BECOME", 1000, 1000)
    root(whole).add("PLACE", 0, "/srv").add("REBIND", "/srv/.git", 7, 1, 2).add("MASK", "/home", 1, 3, 4)
    whole.add("COVER", "/etc/passwd", 0o644, b"x").add("REMOUNT", "/", 7).add("SYSCTL", "user/max_user_namespaces", "0")
    whole.add("LOOPBACK").add("PIVOT").add("HOSTNAME", "sandbox").add("SESSION").add("TERMINAL", 7)
    whole.add("RLIMIT", 7, 1024, 1024).add("CHDIR", "/srv").add("UMASK", 0o22)
    yield "whole", lock(whole, init=True).end()
    yield "slot-left", lock(root(Plan().add("SPAWN", NAMESPACES)).add("TREE", 2, "/x", 7, 0, 0).add("PIVOT")).end()
    yield "no-pivot", lock(root(Plan().add("SPAWN", NAMESPACES))).end()
    yield "two-spawns", lock(Plan().add("SPAWN", 0).add("SPAWN", 0)).end()
    yield "backwards", lock(Plan().add("UMASK", 0).add("SPAWN", 0)).end()
    yield "bad-path", lock(Plan().add("SPAWN", 0).add("CHDIR", "/a/../b")).end()
    yield "writable", lock(Plan().add("HOST_TREE", 0, "/x", 0, 0, 0).add("SPAWN", 0)).end()
    yield "no-namespace", lock(Plan().add("SPAWN", 0).add("HOSTNAME", "host")).end()
    yield "bad-region", lock(Plan().add("SPAWN", 0).add("INIT", FILTER, 0, ["x"], [], ["why"])).end()
    yield "hostile-text", lock(Plan(["\x1b[2J\n"]).add("SPAWN", 0).add("HOSTNAME", "\u202e\x07", why="\x1b]0;x\x07")).end()
    good = lock(Plan().add("SPAWN", 0)).end()
    yield "cut", good[:-7]
    yield "far-offset", good[:32] + b"\xff" * 8 + good[40:]


def write(target, seeds):
    folder = here / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds:
        (folder / name).write_bytes(data)


def raw(text):
    return text if isinstance(text, bytes) else text.encode()


write("path", ((name, raw(text)) for name, text in PATHS.items()))
for name, (language, rest) in {
    "python": (0, "hello.py\0a b\0print(1)"),
    "typescript": (2, "x.ts\0\0let a: number"),
    "hostile-name": (12, "'; touch x; '.c\0$(id)\0int main(){}"),
    "newline": (12, "a\nb.c\0--\0"),
    "up": (11, "../../etc/passwd\0-o\0"),
    "first-line": (255, "x\0\0#!/usr/bin/env -S A=b bash -e\n"),
    "suffix": (255, "dir/x.rs\0`id`\0"),
    "unknown": (255, "x\0\0#!/"),
    "bytes": (13, b"\xff\xfe.cpp\0\xc3\0"),
}.items():
    write("code_command", [(name, bytes([language]) + raw(rest))])
write("glob", ((name, raw(p) + (b"" if s is None else b"\n" + raw(s))) for name, (p, s) in GLOBS.items()))
write("mask", ((name, raw(text)) for name, text in MASKS.items()))
write("target", ((name, raw(text)) for name, text in TARGETS.items()))
write("domain", ((name, raw(host) + b"\n" + raw(pattern)) for name, (host, pattern) in DOMAINS.items()))
write("sni", hellos())
HEAD = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
MESSAGES = {
    "a": HEAD + b"\x07allowed\x04test\x00\x00\x01\x00\x01",
    "aaaa-edns": HEAD[:11] + b"\x01" + b"\x07allowed\x04test\x00\x00\x1c\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00",
    "root": HEAD + b"\x00\x00\x02\x00\x01",
    "pointer": HEAD + b"\xc0\x0c\x00\x01\x00\x01",
    "odd-label": HEAD + b"\x03a.b\x02\x00c\x00\x00\x01\x00\x01",
    "long": HEAD + b"\x01a" * 127 + b"\x00\x00\x01\x00\x01",
    "too-long": HEAD + b"".join(b"\x3f" + letter * 63 for letter in (b"a", b"b", b"c", b"d")) + b"\x00\x00\x01\x00\x01",
    "answer": b"\x12\x34\x81" + HEAD[3:] + b"\x01a\x00\x00\x01\x00\x01",
    "two-questions": HEAD[:5] + b"\x02" + HEAD[6:] + b"\x01a\x00\x00\x01\x00\x01" * 2,
    "chaos": HEAD + b"\x07version\x04bind\x00\x00\x10\x00\x03",
    "cut": HEAD + b"\x05allo",
}
write("dns", MESSAGES.items())
VERDICTS = {
    "hello": '{"t":"hello","proto":1,"allowedDomains":["a.test"],"deniedDomains":[]}',
    "allow": '{"t":"verdict","id":1,"action":"allow","setHeaders":{"x-a":["b","c"]},"removeHeaders":["cookie"]}',
    "credential": '{"t":"verdict","id":9007199254740991,"action":"allow","cred":"github","credential":"s3cret"}',
    "deny": '{"t":"verdict","id":2,"action":"deny","status":403,"reason":"no\\tmore"}',
    "need-body": '{"t":"verdict","id":3,"action":"need_body","max":33554432}',
    "framing": '{"t":"verdict","id":4,"action":"allow","setHeaders":{"content_length":["1"]}}',
    "split": '{"t":"verdict","id":5,"action":"allow","setHeaders":{"x-a":["b\\r\\nc: d"]}}',
    "twice": '{"t":"verdict","id":6,"id":7,"action":"allow"}',
    "null": '{"t":"verdict","id":8,"action":"deny","status":403,"reason":null}',
}
write("verdict", ((name, raw(text)) for name, text in VERDICTS.items()))
LINES = {
    "ping": '{"id":1,"method":"ping"}',
    "exec": '{"id":2,"method":"exec","params":{"session":"s","argv":["sh","-c","true"],"env":{"A":"b","C":null},"timeout_ms":5,"input":"aGk=","stream_input":true,"terminal":{"rows":1}}}',
    "input": '{"id":3,"method":"exec.input","params":{"id":2,"data":"AAECAw==","end":true}}',
    "create": '{"id":4,"method":"session.create","params":{"id":"x","labels":{"a":"b"},"metadata":{"n":[1]},"ports":[80],"workspace":{"kind":"persistent","id":"w"}}}',
    "path": '{"id":5,"method":"file.read","params":{"session":"s","path":{"base64":"eP8="},"offset":9007199254740991}}',
    "unknown": '{"id":6,"method":"file.raed","params":{}}',
    "type": '{"id":7,"method":"cancel","params":{"id":-1}}',
    "twice": '{"id":8,"id":9,"method":"ping"}',
}
write("channel", ((name, raw(text)) for name, text in LINES.items()))
write("proxy_request", ((name, raw(text)) for name, text in REQUESTS.items()))
write("plan_decode", plans())
write("archive", ())
subprocess.run([sys.executable, here.parent / "tests/e2e/archives.py", "--seeds", here / "corpus/archive"], check=True)
