"""channel.py CASE: `coffer channel`, as its clients see it."""
import errno
import io
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tarfile
import threading
import time

from channel_client import COFFER, Channel, Refused, coded

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.environ["XDG_DATA_HOME"] + "/coffer"


def refused(code, call, *args, errno=None, **kwargs):
    try:
        result = call(*args, **kwargs)
    except Refused as error:
        assert error.code == code, (code, error.error)
        assert errno is None or error.errno == errno, (errno, error.error)
        return error
    raise AssertionError(f"not refused: {args} {kwargs} {result}")


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "never true"
        time.sleep(0.02)


def lives(pattern):
    return subprocess.run(["pgrep", "-f", pattern], stdout=subprocess.DEVNULL).returncode == 0


def made(**params):
    c = Channel()
    return c, c.call("session.create", id="one", **params)["id"]


# ---- lines ----


def greeting():
    c = Channel()
    assert c.hello["event"] == "hello" and c.hello["protocol"] == "coffer-channel" and c.hello["version"] == 1, c.hello
    with open(f"{HERE}/../../docs/PROTOCOL.md", encoding="utf-8") as file:
        document = file.read()
    missing = [m for m in c.hello["methods"] if f"`{m}`" not in document]
    assert not missing, missing
    assert c.call("hello", version=1) == {"version": 1}
    refused("unsupported", c.call, "hello", version=2)
    assert c.call("ping") == {}
    assert c.close() == 0


def documented():
    """Each parameter of each method stands in the document, in the row or table of its method."""
    with open(f"{HERE}/../../docs/PROTOCOL.md", encoding="utf-8") as file:
        document = file.read()
    with open(f"{HERE}/../../src/channel/methods.def", encoding="utf-8") as file:
        rows = [line.split('"') for line in file if line.startswith("METHOD(")]
    for row in rows:
        for name in (word.split(":")[0] for word in row[3].split()):
            assert f"`{name}`" in document, (row[1], name)


def lines():
    c = Channel()
    for line, words in [
        (b"nonsense", "line 1"), (b"[]", "object"), (b'{"id":1}', "method"), (b'{"method":"ping"}', "id"), (b'{"id":0,"method":"ping"}', "id"),
        (b'{"id":1.5,"method":"ping"}', "id"), (b'{"id":9007199254740992,"method":"ping"}', "id"), (b'{"id":1,"id":2,"method":"ping"}', ""),
        (b'{"id":1,"method":"ping","more":1}', "more"), (b'{"id":1,"method":"pong"}', "ping"), (b'{"id":1,"method":"ping","params":[]}', "params"),
        (b'{"id":1,"method":"exec","params":{"sesion":"x"}}', 'did you mean "session"'), (b'{"id":1,"method":"exec","params":{"session":"x"}}', "argv"),
        (b'{"id":1,"method":"exec","params":{"session":1,"argv":["x"]}}', "session"), (b'{"id":1,"method":"exec","params":{"session":"x","argv":[]}}', "argv"),
        (b'{"id":1,"method":"exec","params":{"session":"x","argv":["x"],"timeout_ms":-1}}', "timeout_ms"),
        (b'{"id":1,"method":"exec","params":{"session":"x","argv":["x"],"input":"*"}}', "input"),
        (b'{"id":1,"method":"exec","params":{"session":"x","argv":["x"],"env":{"A":1}}}', "env"),
        (b'{"id":1,"method":"ping","params":{"a\\u0000b":1}}', ""), (b'\xff', ""), (b"[" * 1000, ""),
    ]:
        c.raw(line + b"\n")
        answer = c.line()
        assert answer["error"]["code"] == "usage" and words in answer["error"]["text"], (line, answer)
    c.raw(b"\n\n" + b"x" * (5 << 20) + b"\n")
    answer = c.line()
    assert answer["id"] is None and answer["error"]["code"] == "limit", answer
    assert c.call("ping") == {} and c.call("ping", ) == {}
    c.raw(b'{"id":7,"method":"ping","params":null}\n')
    assert c.next(7)["result"] == {}


def ids():
    c, one = made()
    id = c.start("exec", session=one, argv=["sleep", "0.5"])
    c.event(id, "started")
    c.raw(json.dumps({"id": id, "method": "ping"}).encode() + b"\n")
    c.raw(json.dumps({"id": id, "method": "nosuch"}).encode() + b"\n")
    for _ in range(2):
        assert c.next(None)["error"]["code"] == "usage"
    assert c.finish(id)[1]["exit_code"] == 0
    assert c.call("cancel", id=id) == {"found": False}


# ---- sessions ----


def sessions():
    c = Channel()
    one = c.call("session.create", id="one", labels={"task": "7"}, metadata={"a": [1, None, "ü"]}, env={"GREETING": "hi"}, idle_ms=600000)
    assert one["state"] == "running" and one["labels"] == {"task": "7"} and one["metadata"] == {"a": [1, None, "ü"]}, one
    assert one["workspace"] == {"kind": "ephemeral", "id": None} and one["ports"] == [] and one["idle_ms"] == 600000 and one["ttl_ms"] == 0, one
    two = c.call("session.create", labels={"task": "8"})["id"]
    assert [s["id"] for s in c.call("session.list")["sessions"]] == sorted(["one", two])
    assert [s["id"] for s in c.call("session.list", labels={"task": "8"})["sessions"]] == [two]
    assert c.run("one", "sh", "-c", "echo $GREETING; echo kept > file; pwd")[0].decode().split() == ["hi", one["workdir"]]
    refused("busy", c.call, "session.create", id="one")
    refused("usage", c.call, "session.create", id="../x")
    refused("usage", c.call, "session.create", labels={"coffer.x": "y"})
    refused("usage", c.call, "session.create", workspace={"kind": "elsewhere"})
    refused("usage", c.call, "session.create", workspace={"kind": "persistent"})
    refused("usage", c.call, "session.create", workspace={"kind": "persistent", "id": "../x"})
    refused("notfound", c.call, "session.create", directory="/no/such/directory")
    assert "memroy" in refused("policy", c.call, "session.create", policy={"limits": {"memroy": "1G"}}).where
    refused("notfound", c.call, "session.info", session="three")
    c.call("session.pause", session="one")
    assert c.call("session.info", session="one")["state"] == "paused"
    c.call("session.resume", session="one")
    assert c.call("session.info", session="one")["state"] == "running"
    assert c.close() == 0

    c = Channel()  # another one finds it as it was
    again = c.call("session.open", session="one")
    assert {k: again[k] for k in ("id", "labels", "metadata", "workdir", "created_at_ms")} == {k: one[k] for k in ("id", "labels", "metadata", "workdir", "created_at_ms")}
    assert c.data("file.read", session="one", path="file")[0] == b"kept\n"
    c.call("session.remove", session="one")
    c.call("session.remove", session=two)
    refused("notfound", c.call, "exec", session="one", argv=["true"])
    assert os.listdir(f"{DATA}/sessions") == [] and os.listdir(f"{DATA}/workspaces") == []


def workspaces():
    c = Channel()
    place = {"kind": "persistent", "id": "keep"}
    for n in "12":
        assert c.call("session.create", id=f"s{n}", workspace=place)["workspace"] == place
        c.run(f"s{n}", "sh", "-c", f"echo {n} >> notes")
        c.call("session.remove", session=f"s{n}", workspace=n == "2")
        if n == "1":
            c.call("session.create", id="other", workspace=place)
            assert c.data("file.read", session="other", path="notes")[0] == b"1\n"
            c.call("session.remove", session="other")
    s = c.call("session.create", id="s3", workspace=place)
    assert c.call("file.list", session="s3")["entries"] == []
    c.call("session.remove", session="s3", workspace=True)
    assert s["workdir"] == "/workspace" and os.listdir(f"{DATA}/workspaces") == []

    here = c.call("session.create", id="here", directory=os.getcwd(), policy={"filesystem": {"allowWrite": ["."]}})
    assert here["workspace"]["kind"] == "directory" and here["workdir"] == os.getcwd()
    c.call("file.write", session="here", path="from-outside", data=coded(b"x"))
    c.run("here", "cp", "from-outside", "from-inside")
    assert sorted(os.listdir()) == ["from-inside", "from-outside"]

    c.call("session.create", id="brief", ttl_ms=300)
    until(lambda: len(c.call("session.list")["sessions"]) == 1 and os.listdir(f"{DATA}/workspaces") == [])  # who comes by takes it away


def changes():
    with open("a.txt", "w", encoding="utf-8") as file:
        file.write("one\n")
    os.mkdir(".git")
    time.sleep(0.02)
    c = Channel()
    refused("usage", c.call, "session.create", copy=True)
    c.call("session.create", id="one", directory=os.getcwd(), copy=True)
    c.run("one", "sh", "-c", "echo two >> a.txt; mkdir d; echo new > d/b; mkdir -p .git/hooks; echo x > .git/hooks/pre-push")
    assert open("a.txt", encoding="utf-8").read() == "one\n"

    def found(**params):
        return {x["path"]: x["change"] for x in c.call("workspace.diff", workspace="one", **params)["changes"]}

    assert found() == {"a.txt": "modified", "d": "added", "d/b": "added", ".git/hooks": "added", ".git/hooks/pre-push": "added"}, found()
    assert found(paths=["d/"]) == {"d": "added", "d/b": "added"} and found(paths=[{"base64": coded(b"a.txt")}]) == {"a.txt": "modified"}
    patch, result = c.data("workspace.diff", workspace="one", form="patch", paths=["a.txt"])
    assert b"+two\n" in patch and result == {"bytes": len(patch)}
    assert c.data("workspace.diff", workspace="one", form="names", paths=["a.txt"])[0].split() == [b"M", b"a.txt"]
    for wrong in [{"form": "html"}, {"paths": ["../x"]}, {"paths": ["/etc"]}, {"paths": []}, {"paths": [1]}, {"paths": ["a.txt"], "from": 1}]:
        error = refused("usage", c.call, "workspace.diff", workspace="one", **wrong)
        assert error.where in wrong, (wrong, error.error)
    refused("notfound", c.call, "workspace.diff", workspace="nothing")
    refused("notfound", c.call, "workspace.apply", workspace="one", paths=["nothing"])
    refused("usage", c.call, "workspace.apply", workspace="one", hunks=[{"path": "a.txt", "numbers": [0]}])

    id = c.start("workspace.apply", workspace="one")
    report = c.event(id, "report")["report"]
    assert [(x["kind"], x["path"]) for x in report["findings"]] == [("refused", ".git/hooks/pre-push")] and report["written"] == 0, report
    refused("denied", c.finish, id)
    assert not os.path.exists("d")
    assert c.call("workspace.apply", workspace="one", check=True, paths=["d"])["written"] == 0 and not os.path.exists("d")
    assert c.call("workspace.apply", workspace="one", paths=["d"])["made"] == 1
    assert c.call("workspace.apply", workspace="one", hunks=[{"path": "a.txt", "numbers": [1]}])["written"] == 1
    assert open("a.txt", encoding="utf-8").read() == "one\ntwo\n" and open("d/b", encoding="utf-8").read() == "new\n"
    c.call("workspace.apply", workspace="one", allow=[".git/hooks"])
    assert os.path.exists(".git/hooks/pre-push") and found() == {}

    c.run("one", "sh", "-c", "echo three >> a.txt")
    with open("a.txt", "a", encoding="utf-8") as file:
        file.write("theirs\n")
    assert refused("busy", c.call, "workspace.apply", workspace="one").errno == 16
    refused("busy", c.call, "workspace.discard", workspace="one")
    assert [(w["id"], w["in_use"]) for w in c.call("workspace.list")["workspaces"]] == [("one", True)]
    c.call("session.remove", session="one")
    assert c.call("workspace.list") == {"workspaces": []}
    subprocess.run([COFFER, "try", "--", "touch", "tried"], check=True, stderr=subprocess.DEVNULL)
    tried = c.call("workspace.list")["workspaces"][0]["id"]
    assert c.call("workspace.discard", workspace=tried) == {} and c.call("workspace.list") == {"workspaces": []}


def history():
    c = Channel()
    c.call("session.create", id="one", workspace={"kind": "persistent", "id": "keep"}, history=True, labels={"a": "b"})
    c.run("one", "sh", "-c", "echo 1 > f")
    c.run("one", "sh", "-c", "echo 2 > f")
    layers = c.call("session.log", session="one")["layers"]
    assert [x["number"] for x in layers] == [1, 2] and "echo 1" in layers[0]["label"], layers
    assert c.call("session.checkpoint", session="one", label="here") == {"layer": 3}
    assert c.call("session.log", session="one")["layers"][2]["label"] == "here"
    assert [x["path"] for x in c.call("workspace.diff", workspace="keep", **{"from": 1, "to": 2})["changes"]] == ["f"]
    child = c.call("session.fork", session="one", id="two", layer=1)
    assert child["id"] == "two" and child["labels"] == {"a": "b"}, child
    assert c.run("two", "cat", "f")[0] == b"1\n" and c.run("one", "cat", "f")[0] == b"2\n"
    c.run(c.call("session.fork", session="one")["id"], "sh", "-c", "test $(cat f) = 2 && echo 3 > f")
    assert c.run("one", "cat", "f")[0] == b"2\n"
    c.call("session.checkout", session="one", layer=1)
    assert c.run("one", "cat", "f")[0] == b"1\n"
    c.call("session.checkout", session="one", layer=0)
    assert c.run("one", "ls")[0] == b""
    refused("notfound", c.call, "session.checkout", session="one", layer=9)
    refused("usage", c.call, "session.checkout", session="one")
    c.call("session.remove", session="two", workspace=True)  # its own, not that of whom it came from
    assert "keep" in [w["id"] for w in c.call("workspace.list")["workspaces"]]
    c.call("session.create", id="host", directory=os.getcwd())
    refused("policy", c.call, "session.fork", session="host")


# ---- commands ----


def commands():
    c, one = made()
    out, err, end = c.run(one, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (out, err) == (b"out\n", b"err\n") and end["exit_code"] == 7 and end["cause"] == "exit" and end["signal"] is None, end
    assert (end["stdout_bytes"], end["stderr_bytes"], end["stdout_truncated"], end["timed_out"], end["aborted"]) == (4, 4, False, False, False), end
    assert c.run(one, "sh", "-c", "kill -9 $$")[2]["signal"] == 9
    end = c.run(one, "nosuch")[2]
    assert end["exit_code"] == 127 and "nosuch" in end["message"], end
    everything = bytes(range(256)) * 1000
    assert c.run(one, "cat", input=coded(everything))[0] == everything
    assert c.run(one, "sh", "-c", "cat; echo ${HOME-none} $A", env={"HOME": None, "A": "b c"})[0] == b"none b c\n"
    c.call("file.mkdir", session=one, path="sub")
    assert c.run(one, "pwd", cwd="sub")[0].endswith(b"/workspace/sub\n")
    out, err, end = c.run(one, "sh", "-c", "head -c 100000 /dev/zero; head -c 9 /dev/zero >&2", max_output_bytes=10)
    assert (len(out), len(err)) == (10, 9) and end["stdout_bytes"] == 100000 and end["stdout_truncated"] and not end["stderr_truncated"], end
    denials = c.run(one, "sh", "-c", "echo > /usr/forbidden")[2]["denials"]
    assert any(d["target"] == "/usr/forbidden" and d["remedy"] for d in denials), denials
    refused("usage", c.call, "exec", session=one, argv=["true"], env={"A=B": "c"})
    refused("notfound", c.call, "exec", session="absent", argv=["true"])


def ends():
    c, one = made()
    out, _, end = c.run(one, "sh", "-c", "echo before; setsid sleep 27181 & sleep 27182", timeout_ms=500)
    assert out == b"before\n" and end["timed_out"] and end["cause"] == "timeout" and end["exit_code"] == 124, end
    assert not lives("^sleep 2718[12]$")
    id = c.start("exec", session=one, argv=["sh", "-c", "setsid sleep 27183 & sleep 27184"])
    until(lambda: lives("^sleep 27184$"))
    assert c.call("cancel", id=id) == {"found": True}
    end = c.finish(id)[1]
    assert end["aborted"] and end["cause"] == "cancelled", end
    assert not lives("^sleep 2718[34]$")
    id = c.start("exec", session=one, argv=["sh", "-c", "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done"])
    c.event(id, "stdout")
    c.call("exec.signal", id=id, signal="TERM")
    out, _, end = c.output(id)
    assert out == b"got\n" and end["exit_code"] == 5, end
    refused("usage", c.call, "exec.signal", id=c.start("exec", session=one, argv=["sleep", "1"]), signal="KILL")
    refused("notfound", c.call, "exec.signal", id=999, signal="TERM")


def streams():
    c, one = made()
    id = c.start("exec", session=one, argv=["sh", "-c", "while read line; do echo \"<$line>\"; done"], stream_input=True, input=coded(b"zero\n"))
    for word in ("one", "two"):
        c.call("exec.input", id=id, data=coded(word.encode() + b"\n"))
    c.call("exec.input", id=id, end=True)
    assert c.output(id)[0] == b"<zero>\n<one>\n<two>\n"
    refused("notfound", c.call, "exec.input", id=id, data="")
    id = c.start("exec", session=one, argv=["sleep", "30"], stream_input=True)  # who does not read
    big, answers = coded(b"x" * (256 << 10)), []
    for _ in range(24):
        answers.append(c.start("exec.input", id=id, data=big))
    end = time.monotonic() + 5
    told = [c.next(a)["error"] for a in answers[20:]]
    assert {e["code"] for e in told} == {"limit"} and time.monotonic() < end, told
    c.call("cancel", id=id)
    c.finish(id)
    blob = os.urandom(3 << 20)
    id = c.start("exec", session=one, argv=["sha256sum"], stream_input=True)
    for at in range(0, len(blob), 200000):
        c.call("exec.input", id=id, data=coded(blob[at:at + 200000]), end=at + 200000 >= len(blob))
    import hashlib
    assert c.output(id)[0].split()[0].decode() == hashlib.sha256(blob).hexdigest()


def many():
    c, one = made()
    ids = [c.start("exec", session=one, argv=["sh", "-c", f"i=0; while [ $i -lt 200 ]; do echo {n} $i; i=$((i+1)); done"]) for n in range(64)]
    for n, id in enumerate(ids):
        out, _, end = c.output(id, 60)
        assert end["exit_code"] == 0 and out.decode().split("\n")[:-1] == [f"{n} {i}" for i in range(200)], (n, end)
    ids = [c.start("exec", session=one, argv=["sleep", "5"]) for _ in range(128)]
    refused("busy", c.call, "session.list")
    assert c.call("ping") == {}


def memory_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1])


def never_reads():
    """Memory stays bounded, and so does time: the limit of a command holds though nobody reads what it writes."""
    c, one = made()
    ids = [c.start("exec", session=one, argv=["sh", "-c", "echo $$ > pid; exec yes"], timeout_ms=2000) for _ in range(4)]
    time.sleep(1)
    most = memory_kib(c.process.pid)
    until(lambda: not lives("^yes$"))
    most = max(most, memory_kib(c.process.pid))
    assert most < 16 << 10, most
    for id in ids:
        out, _, end = c.output(id)
        assert end["timed_out"] and set(out) <= set(b"y\n"), end
    print(f"# memory of a channel whose client does not read: {most} KiB")


def terminals():
    c, one = made()
    id = c.start("exec", session=one, argv=["sh"], terminal={"rows": 33, "cols": 99}, env={"PS1": "$ "})
    seen = b""

    def expect(words):
        nonlocal seen
        import base64
        while words not in seen:
            seen += base64.b64decode(c.event(id, "stdout")["data"])
        seen = seen.partition(words)[2]

    c.call("exec.input", id=id, data=coded(b"tty; stty size\n"))
    expect(b"/dev/pts/")
    expect(b"33 99")
    c.call("exec.resize", id=id, rows=40, cols=120)
    c.call("exec.input", id=id, data=coded(b"sleep 0.2; stty size\n"))
    expect(b"40 120")
    c.call("exec.input", id=id, data=coded(b"sleep 31416\n"))
    until(lambda: lives("^sleep 31416$"))
    c.call("exec.input", id=id, data=coded(b"\x03"))
    until(lambda: not lives("^sleep 31416$"))
    c.call("exec.input", id=id, data=coded(b"echo done-$((40+2))\n"))
    expect(b"done-42")
    c.call("exec.input", id=id, end=True)
    assert c.finish(id)[1]["cause"] == "exit"
    refused("notfound", c.call, "exec.resize", id=c.start("exec", session=one, argv=["sleep", "1"]), rows=1, cols=1)


def attachments():
    import base64
    c, one = made()
    process = c.call("process.start", session=one, argv=["sh"], terminal={"rows": 24, "cols": 80}, env={"PS1": "$ "}, input=coded(b"echo typed-$((1+1))\n"))
    assert process["terminal"] and process["id"] == "1", process
    refused("usage", c.call, "process.start", session=one, argv=["sh"], terminal={"rows": 24})

    def expect(channel, id, words):
        seen = b""
        while words not in seen:
            seen += base64.b64decode(channel.event(id, "stdout")["data"])

    first = c.start("process.attach", session=one, terminal={"rows": 33, "cols": 99})
    expect(c, first, b"typed-2")
    c.call("exec.input", id=first, data=coded(b"stty size\n"))
    expect(c, first, b"33 99")
    c.call("exec.resize", id=first, rows=40, cols=120)
    c.call("exec.input", id=first, data=coded(b"sleep 0.2; stty size\n"))
    expect(c, first, b"40 120")
    d = Channel()
    second = d.start("process.attach", session=one, process="1", stream_input=True, replay_bytes=0)
    d.event(second, "started")
    d.call("exec.input", id=second, data=coded(b"echo both-$((40+2))\n"))
    expect(c, first, b"both-42")
    expect(d, second, b"both-42")
    refused("notfound", c.call, "exec.signal", id=first, signal="TERM")
    assert c.call("cancel", id=first)["found"]
    end = c.finish(first)[1]
    assert end["detached"] and end["process"]["status"] == "running" and end["lost_bytes"] == 0, end
    d.close()
    assert c.call("process.info", session=one, process="1")["status"] == "running"
    last = c.start("process.attach", session=one, process="1", stream_input=True)
    expect(c, last, b"both-42")
    c.call("exec.input", id=last, data=coded(b"exit 5\n"))
    end = c.finish(last)[1]
    assert not end["detached"] and end["process"]["exit_code"] == 5 and end["process"]["status"] == "exited", end
    refused("notfound", c.call, "process.attach", session=one)
    out, err, end = c.output(c.start("process.attach", session=one, process="1"))
    assert b"both-42" in out and end["process"]["exit_code"] == 5, (out, end)

    plain = c.call("process.start", session=one, argv=["sh", "-c", "echo out; echo err >&2; sleep 0.5; seq 20000; exit 4"])["id"]
    out, err, end = c.output(c.start("process.attach", session=one, process=plain))
    whole = b"out\n" + b"".join(b"%d\n" % i for i in range(1, 20001))
    assert (out, err) == (whole, b"err\n") and end["process"]["exit_code"] == 4 and end["stdout_bytes"] == len(whole), end


def spills():
    c, one = made()
    whole = b"".join(b"%d\n" % i for i in range(1, 50001))
    out, err, end = c.run(one, "sh", "-c", "seq 50000; seq 10 >&2", max_output_bytes=1001, spill_bytes=1 << 20)
    spilled = end["stdout_spilled"]
    assert out == whole[:501] + whole[-500:] and spilled["head_bytes"] == 501 and end["stderr_spilled"] is None, (len(out), end)
    assert end["stdout_truncated"] and not end["stderr_truncated"] and end["stdout_bytes"] == len(whole) == spilled["file_bytes"] and end["stderr_bytes"] == len(err), end
    assert spilled["complete"] and spilled["errno"] == 0 and open(spilled["path"], "rb").read() == whole, spilled
    end = c.run(one, "seq", "50000", max_output_bytes=1000, spill_bytes=5000)[2]
    assert not end["stdout_spilled"]["complete"] and open(end["stdout_spilled"]["path"], "rb").read() == whole[:5000], end
    out, _, end = c.run(one, "seq", "50000", max_output_bytes=1000, spill_bytes=0)
    assert out == whole[:500] + whole[-500:] and end["stdout_spilled"]["path"] is None, end
    assert c.run(one, "seq", "10", max_output_bytes=1000)[2]["stdout_spilled"] is None
    refused("usage", c.call, "exec", session=one, argv=["true"], spill_bytes=1000)
    c.call("session.remove", session=one)
    assert not os.path.exists(spilled["path"])


# ---- managed processes ----


def decoded(logs, stream="stdout"):
    import base64
    return base64.b64decode(logs[stream])


def processes():
    c, one = made()
    first = c.call("process.start", session=one, argv=["sh", "-c", "echo ready; cat; echo oops >&2; sleep 14141 & sleep 14142"], input=coded(b"in\n"), env={"A": "1"})
    assert first["status"] == "running" and first["id"] == "1" and first["exit_code"] is None, first
    until(lambda: lives("^sleep 14142$"))
    logs = c.call("process.logs", session=one, process="1")
    assert decoded(logs) == b"ready\nin\n" and decoded(logs, "stderr") == b"oops\n" and logs["stdout_bytes"] == 9 and not logs["stdout_truncated"], logs
    logs = c.call("process.logs", session=one, process="1", tail_bytes=3)
    assert decoded(logs) == b"in\n" and logs["stdout_truncated"], logs
    assert "nosuch" in refused("notfound", c.call, "process.start", session=one, argv=["nosuch"], errno=2).error["text"]
    second = c.call("process.start", session=one, argv=["sh", "-c", "exit 3"])["id"]
    end = c.call("process.wait", session=one, process=second)
    assert end["status"] == "exited" and end["exit_code"] == 3 and end["ended_at_ms"] >= end["started_at_ms"], end
    refused("limit", c.call, "process.wait", session=one, process="1", timeout_ms=100, errno=110)
    assert [p["id"] for p in c.call("process.list", session=one)["processes"]] == ["1", second]
    refused("busy", c.call, "process.remove", session=one, process="1")
    for absent in ("99", "x", "../1", ""):
        refused("notfound", c.call, "process.info", session=one, process=absent)
    c.close()

    c = Channel()  # it has outlived the channel
    assert lives("^sleep 14142$") and c.call("process.info", session=one, process="1")["status"] == "running"
    begun = time.monotonic()
    end = c.call("process.stop", session=one, process="1")
    assert end["status"] == "stopped" and end["signal"] == 15 and time.monotonic() - begun < 4, end
    assert not lives("^sleep 1414[12]$")
    assert c.call("process.stop", session=one, process="1")["status"] == "stopped"
    c.call("process.remove", session=one, process="1")
    refused("notfound", c.call, "process.info", session=one, process="1")

    deaf = c.call("process.start", session=one, argv=["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"])["id"]
    until(lambda: decoded(c.call("process.logs", session=one, process=deaf)) == b"deaf\n")
    begun = time.monotonic()
    end = c.call("process.stop", session=one, process=deaf, grace_ms=300)
    assert end["status"] == "stopped" and 0.25 < time.monotonic() - begun < 3, end

    loud = c.call("process.start", session=one, argv=["sh", "-c", "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done"], log_bytes=1000)["id"]
    c.call("process.wait", session=one, process=loud)
    logs = c.call("process.logs", session=one, process=loud)
    whole = b"".join(b"line %d\n" % i for i in range(5000))
    assert decoded(logs) == whole[-1000:] and logs["stdout_bytes"] == len(whole) and logs["stdout_truncated"], logs


def process_ends():
    """What ends otherwise is stopped: with its keeper, with its session's sandbox."""
    c, one = made()
    for n in range(2):
        c.call("process.start", session=one, argv=["sleep", "16180"])
    keepers = subprocess.run(["pgrep", "-x", "coffer-keeper"], capture_output=True, text=True).stdout.split()
    mine = [k for k in keepers if f"{DATA}/sessions/one/execs/1/" in subprocess.run(["ls", "-l", f"/proc/{k}/fd"], capture_output=True, text=True).stdout]
    assert len(mine) == 1, keepers
    os.kill(int(mine[0]), signal.SIGKILL)
    until(lambda: c.call("process.info", session=one, process="1")["status"] == "stopped")
    assert c.call("process.info", session=one, process="2")["status"] == "running"
    assert c.call("process.stop", session=one, process="1")["exit_code"] is None
    c.call("session.remove", session=one)
    until(lambda: not lives("^sleep 16180$"))
    idle = c.call("session.create", id="idle", idle_ms=500)["id"]
    c.call("process.start", session=idle, argv=["sleep", "16181"])
    until(lambda: not lives("^sleep 16181$"))  # it is no sign of activity
    until(lambda: not c.call("session.list")["sessions"])


# ---- files ----


def files():
    c, one = made()
    f = lambda method, **params: c.call(f"file.{method}", session=one, **params)
    assert f("write", path="a/b/c.txt", data=coded(b"one\ntwo\nthree\n"), mode=0o640) == {"bytes": 14}
    assert f("append", path="a/b/c.txt", data=coded(b"four\n")) == {"bytes": 5}
    assert c.data("file.read", session=one, path="a//b/./c.txt") == (b"one\ntwo\nthree\nfour\n", {"bytes": 19, "size": 19})
    assert c.data("file.read", session=one, path="a/b/c.txt", offset=4, length=3)[0] == b"two"
    assert c.run(one, "stat", "-c", "%a %s", "a/b/c.txt")[0] == b"640 19\n"
    entry = f("stat", path="a/b/c.txt")
    assert entry["type"] == "file" and entry["size"] == 19 and entry["mode"] == 0o640 and entry["path"] == "a/b/c.txt", entry
    c.run(one, "sh", "-c", "ln -s b/c.txt a/link; ln -s /etc/passwd out; ln -s ../../.. up; mkfifo fifo; printf '\\377' > \"$(printf 'x\\377')\"")
    link = f("stat", path="a/link", follow=False)
    assert link["type"] == "symlink" and link["target"] == "b/c.txt", link
    assert c.data("file.read", session=one, path="a/link")[1]["size"] == 19
    for path in ("out", "up/etc/passwd", "up"):
        refused("denied", c.call, "file.read", session=one, path=path)
    refused("usage", c.call, "file.read", session=one, path="fifo")
    for path in ("../x", "/etc/passwd", "a/../../x", "/workspace/a/link"):
        for method in ("file.read", "file.stat", "file.upload", "file.download"):
            refused("policy", c.call, method, session=one, path=path)
        for method in ("file.write", "file.append"):
            refused("policy", c.call, method, session=one, path=path, data=coded(b"x"))
        refused("policy", c.call, "file.download", session=one, path="", paths=[path])
    refused("notfound", c.call, "file.read", session=one, path="absent", errno=2)
    names = {json.dumps(e["path"]): e["type"] for e in f("list")["entries"]}
    assert names == {'"a"': "directory", '"fifo"': "other", '"out"': "symlink", '"up"': "symlink", '{"base64": "eP8="}': "file"}, names
    assert c.data("file.read", session=one, path={"base64": "eP8="})[0] == b"\xff"
    assert [e["path"] for e in f("list", path="a", depth=5)["entries"]] == ["a/b", "a/b/c.txt", "a/link"]
    assert f("list", depth=5, max_entries=2)["cut"] == "entries"
    assert [e["path"] for e in f("glob", pattern="**/*.txt")["entries"]] == ["a/b/c.txt"]
    found = f("grep", pattern="t[wh]")["matches"]
    assert [(m["path"], m["line"], m["column"], m["text"]) for m in found] == [("a/b/c.txt", 2, 1, "two"), ("a/b/c.txt", 3, 1, "three")], found
    page = f("page", path="a/b/c.txt", start_line=2, line_count=2)
    assert page == {"text": "two\nthree\n", "start_line": 2, "end_line": 3, "next_line": 4, "truncated": "lines"}, page
    f("mkdir", path="d/e")
    f("move", **{"from": "a/b/c.txt", "to": "d/e/moved"})
    f("copy", **{"from": "d", "to": "copied"})
    f("remove", path="d", recursive=True)
    assert [e["path"] for e in f("glob", pattern="copied/**")["entries"]][-1] == "copied/e/moved"
    refused("busy", c.call, "file.write", session=one, path="copied/e/moved", exclusive=True, errno=17)
    refused("limit", c.call, "file.write", session=one, path="big", data=coded(b"x" * 11), max_bytes=10, errno=27)
    refused("limit", c.call, "file.read", session=one, path="copied/e/moved", max_bytes=10, errno=27)
    refused("notfound", c.call, "file.stat", session=one, path="big")
    assert c.run(one, "sh", "-c", "echo more >> copied/e/moved && rm -r copied && ls")[2]["exit_code"] == 0  # all of it is the sandbox's own


def streamed_files():
    c, one = made()
    blob = os.urandom(3000000)
    id = c.start("file.write", session=one, path="blob", stream_input=True, data=coded(blob[:100]))
    for at in range(100, len(blob), 500000):
        c.call("file.input", id=id, data=coded(blob[at:at + 500000]))
    c.call("file.input", id=id, end=True)
    assert c.finish(id)[1] == {"bytes": len(blob)}
    assert c.data("file.read", session=one, path="blob")[0] == blob
    for end in ("cancel", "close", "kill"):  # half of a file is none
        id = c.start("file.write", session=one, path=f"half-{end}", stream_input=True)
        c.call("file.input", id=id, data=coded(b"half"))
        if end == "cancel":
            c.call("cancel", id=id)
            assert refused("busy", c.finish, id, errno=125).error["cancelled"]
        elif end == "close":
            c.close()
            c = Channel()
        else:
            c.process.kill()
            c = Channel()
    time.sleep(0.3)
    assert [e["path"] for e in c.call("file.list", session=one)["entries"]] == ["blob"]


def watches():
    c, one = made()
    id = c.start("file.watch", session=one)
    c.event(id, "watching")
    c.run(one, "sh", "-c", "mkdir d; echo x > d/f; mv d/f d/g; rm d/g")
    changes = []
    while not changes or changes[-1][0] != "delete":
        e = c.event(id, "change")
        changes.append((e["change"], e["path"], e.get("from"), e["directory"]))
    assert ("create", "d", None, True) in changes and ("move", "d/g", "d/f", False) in changes and changes[-1] == ("delete", "d/g", None, False), changes
    c.call("cancel", id=id)
    assert c.finish(id)[1] == {}


def archive(*members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content, kind in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = len(content) if kind == tarfile.REGTYPE else 0
            info.linkname = content.decode() if kind == tarfile.SYMTYPE else ""
            tar.addfile(info, io.BytesIO(content) if kind == tarfile.REGTYPE else None)
    return out.getvalue()


def transfers():
    c, one = made()
    data = archive(("t/a.txt", b"hello", tarfile.REGTYPE), ("t/sub/b.txt", b"x" * 300000, tarfile.REGTYPE), ("t/link", b"a.txt", tarfile.SYMTYPE))
    up = c.call("file.upload", session=one, path="in", data=coded(data))
    assert up["files"] == 2 and up["links"] == 1 and up["bytes"] == 300005, up
    id = c.start("file.upload", session=one, path="streamed", stream_input=True)
    for at in range(0, len(data), 100):
        c.call("file.input", id=id, data=coded(data[at:at + 100]), end=at + 100 >= len(data))
    assert c.finish(id)[1] == up
    assert c.run(one, "cat", "streamed/t/link")[0] == b"hello"
    tar, down = c.data("file.download", session=one, path="in")
    assert down["files"] == 2 and down["bytes"] == 300005, down
    with tarfile.open(fileobj=io.BytesIO(tar)) as got:
        assert sorted(got.getnames()) == ["t", "t/a.txt", "t/link", "t/sub", "t/sub/b.txt"] and got.extractfile("t/sub/b.txt").read() == b"x" * 300000
    with tarfile.open(fileobj=io.BytesIO(c.data("file.download", session=one, paths=["in/t/a.txt"])[0])) as got:
        assert got.getnames() == ["in/t/a.txt"]
    for members, code in [((("../out", b"x", tarfile.REGTYPE),), "policy"), ((("/etc/x", b"x", tarfile.REGTYPE),), "policy"), ((("dev", b"", tarfile.CHRTYPE),), "policy")]:
        refused(code, c.call, "file.upload", session=one, path="hostile", data=coded(archive(*members)))
    refused("limit", c.call, "file.upload", session=one, path="hostile", data=coded(data), max_bytes=1000)
    refused("usage", c.call, "file.upload", session=one, path="hostile", data=coded(data[:100]))
    refused("usage", c.call, "file.upload", session=one, path="hostile", data=coded(b"no archive"))
    refused("policy", c.call, "file.upload", session=one, path="../x", data=coded(data))


# ---- ports ----

SERVER = "import socket,sys,time\ns=socket.socket()\ns.setsockopt(1,2,1)\ns.bind((sys.argv[1],int(sys.argv[2])))\ns.listen()\nwhile 1:\n a=s.accept()[0]; a.sendall(b'hello'); a.close()"


def quotas():
    c, one = made(policy={"limits": {"workspaceSize": "2M", "workspaceFiles": 50}})
    half = b"x" * (1 << 20)
    assert c.call("file.write", session=one, path="a", data=coded(half)) == {"bytes": 1 << 20}
    refused("limit", c.call, "file.write", session=one, path="b", data=coded(half + b"x"), errno=errno.EDQUOT)
    refused("limit", c.call, "file.append", session=one, path="a", data=coded(half + b"x"), errno=errno.EDQUOT)
    refused("notfound", c.call, "file.stat", session=one, path="b")
    c.call("file.write", session=one, path="c", data=coded(half[: 900 << 10]))
    refused("limit", c.call, "file.copy", session=one, **{"from": "a", "to": "d"}, errno=errno.EDQUOT)
    refused("limit", c.call, "file.upload", session=one, path="in", data=coded(archive(("up", half, tarfile.REGTYPE))))
    assert c.call("exec", session=one, argv=["true"])["cause"] == "exit"  # nothing was too much
    c.call("file.remove", session=one, path="a")
    for n in range(48):  # with c, and the directory of the upload
        c.call("file.write", session=one, path=f"f{n}", data=coded(b""))
    refused("limit", c.call, "file.write", session=one, path="more", data=coded(b""), errno=errno.EDQUOT)
    refused("limit", c.call, "file.mkdir", session=one, path="more", errno=errno.EDQUOT)


def ports():
    c, one = made(ports=[3000, {"port": 80}])
    told = c.call("port.list", session=one)["ports"]
    assert [(p["port"], p["host"], p["protocol"]) for p in told] == [(3000, "127.0.0.1", "tcp"), (80, "127.0.0.1", "tcp")] and told[0]["host_port"] != told[1]["host_port"], told
    refused("limit", c.call, "port.wait", session=one, port=3000, timeout_ms=200, errno=110)
    refused("notfound", c.call, "port.wait", session=one, port=3001)
    refused("usage", c.call, "session.create", ports=[0])
    refused("usage", c.call, "session.create", ports=[{"port": 70000}])
    local = c.call("process.start", session=one, argv=["python3", "-c", SERVER, "127.0.0.1", "3000"])["id"]
    refused("limit", c.call, "port.wait", session=one, port=3000, timeout_ms=700, errno=110)  # nobody outside could reach it in a container
    c.call("process.stop", session=one, process=local)
    waiting = c.start("port.wait", session=one, port=3000, timeout_ms=10000, interval_ms=50)
    c.call("process.start", session=one, argv=["python3", "-c", SERVER, "0.0.0.0", "3000"])
    ready = c.finish(waiting)[1]
    assert ready == told[0], ready
    with socket.create_connection(("127.0.0.1", ready["host_port"]), 5) as s:
        assert s.recv(100) == b"hello"
    assert Channel().call("port.list", session=one)["ports"] == told


# ---- the end ----


def input_ends():
    """Closed input, and a killed channel: commands end, sessions stay."""
    for end in ("close", "kill"):
        c = Channel()
        c.call("session.create", id=end)
        c.start("exec", session=end, argv=["sh", "-c", "setsid sleep 17321 & sleep 17320"])
        until(lambda: lives("^sleep 17320$"))
        if end == "close":
            assert c.close() == 0
        else:
            c.process.kill()
        until(lambda: not lives("^sleep 1732[01]$"))
        assert Channel().call("session.info", session=end)["state"] == "running"


def listening():
    path = os.path.abspath("channel.sock")
    server = subprocess.Popen([COFFER, "channel", "--listen", path])
    until(lambda: os.path.exists(path))
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    a, b = Channel(path), Channel(path)
    a.call("session.create", id="one")
    id = a.start("exec", session="one", argv=["sh", "-c", "sleep 17322; echo a"])
    assert a.last == id and b.start("exec", session="one", argv=["echo", "b"]) == 1
    assert b.output(1)[0] == b"b\n"  # the same numbers are others' business
    until(lambda: lives("^sleep 17322$"))
    a.close()
    until(lambda: not lives("^sleep 17322$"))
    assert b.call("ping") == {}
    second = subprocess.run([COFFER, "channel", "--listen", path], capture_output=True, text=True)
    assert second.returncode == 125 and path in second.stderr, second
    server.send_signal(signal.SIGTERM)
    assert server.wait(10) == 0 and not os.path.exists(path)
    server = subprocess.Popen([COFFER, "channel", "--listen", path])
    until(lambda: os.path.exists(path))
    server.kill()
    server.wait()
    assert os.path.exists(path)  # what a killed one left is taken over; what is no socket is not
    server = subprocess.Popen([COFFER, "channel", "--listen", path])
    time.sleep(0.3)
    assert Channel(path).call("ping") == {}
    server.terminate()
    server.wait()
    open(path, "w").close()
    assert subprocess.run([COFFER, "channel", "--listen", path], capture_output=True).returncode == 125 and os.path.isfile(path)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
