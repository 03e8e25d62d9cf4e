"""coffer.Session and coffer.aio.Session, on real sessions."""

import asyncio
import contextlib
import inspect
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import coffer
import coffer.session
from coffer import aio, calls


def obstacle():
    try:
        if subprocess.run([coffer.find_coffer(), "run", "--", "true"], capture_output=True, check=False).returncode:
            return "this machine makes no sandbox: see coffer doctor"
    except coffer.ChannelError as error:
        return str(error)
    return None


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "never true"
        time.sleep(0.02)


def lives(mark):
    return subprocess.run(["pgrep", "-f", mark], stdout=subprocess.DEVNULL, check=False).returncode == 0


WHY_NOT = obstacle()


@unittest.skipIf(WHY_NOT, WHY_NOT)
class Case(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.TemporaryDirectory(prefix="coffer-python-")
        self.addCleanup(self.top.cleanup)
        self.enterContext = getattr(self, "enterContext", self.enter)  # of 3.11
        before = os.environ.get("XDG_DATA_HOME")
        os.environ["XDG_DATA_HOME"] = os.path.join(self.top.name, "data")
        self.channel = coffer.Channel()
        self.addCleanup(self.end, before)

    def enter(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    def end(self, before):
        channel = self.channel if not self.channel.ended else coffer.Channel()
        for info in coffer.sessions(channel=channel):
            coffer.Session.open(info.id, channel=channel).remove()
        channel.close()
        if before is None:
            del os.environ["XDG_DATA_HOME"]
        else:
            os.environ["XDG_DATA_HOME"] = before

    def session(self, *args, **kwargs):
        return coffer.Session.create(*args, channel=self.channel, **kwargs)


class Sessions(Case):
    def test_what_a_command_does_is_a_result(self):
        session = self.session(env={"GREETING": "hello"})
        done = session.exec(["sh", "-c", 'echo "$GREETING $NAME"; cat; echo bad >&2; pwd; exit 3'], env={"NAME": "you"}, input="typed\n")
        self.assertEqual((done.text, done.error_text, done.exit_code, done.cause, done.ok), (f"hello you\ntyped\n{session.workdir}\n", "bad\n", 3, "exit", False))
        self.assertEqual(session.exec(["no-such-program"]).exit_code, 127)
        late = session.exec(["sleep", "60"], timeout=0.2)
        self.assertTrue(late.timed_out and late.exit_code == 124 and late.cause == "timeout", late)
        self.assertEqual(session.exec(["sh", "-c", "kill -TERM $$"]).signal, signal.SIGTERM)
        refused = session.exec(["sh", "-c", "echo x > /etc/hosts"])
        self.assertIn("/etc/hosts", [denial.target for denial in refused.denials])

    def test_a_line_is_not_taken_for_words(self):
        with self.assertRaisesRegex(TypeError, "list of words"):
            self.session().exec("echo hello")

    def test_output_is_cut_where_it_was_said(self):
        done = self.session().exec(["head", "-c", "100000", "/dev/zero"], max_output_bytes=10)
        self.assertEqual((len(done.stdout), done.stdout_bytes, done.stdout_truncated), (10, 100000, True))

    def test_input_of_any_size(self):
        data = os.urandom(5 << 20)
        session = self.session()
        self.assertEqual(session.exec(["cat"], input=data).stdout, data)
        self.assertEqual(session.exec(["head", "-c", "3"], input=data).stdout, data[:3])
        self.assertEqual(session.files.write("large", data), len(data))
        self.assertEqual(session.files.read("large"), data)

    def test_a_stream_as_it_comes(self):
        session = self.session()
        with session.exec_stream(["sh", "-c", "read line; echo got $line; echo bad >&2; exit 4"], interactive=True) as stream:
            stream.write("one\n")
            pieces = list(stream)
            self.assertEqual(stream.result().exit_code, 4)
        self.assertEqual({piece.stream: piece.data for piece in pieces}, {"stdout": b"got one\n", "stderr": b"bad\n"})
        with session.exec_stream(["sh", "-c", "trap 'echo told; exit' TERM; echo up; while :; do sleep 0.05; done"]) as stream:
            seen = iter(stream)
            self.assertEqual(next(seen).data, b"up\n")
            stream.signal("TERM")
            self.assertEqual(next(seen).data, b"told\n")

    def test_a_terminal(self):
        with self.session().exec_stream(["sh", "-c", "stty size; read x; stty size"], terminal=(10, 33)) as stream:
            seen = iter(stream)
            self.assertIn(b"10 33", next(seen).data)
            stream.resize(20, 44)
            stream.write("\n")
            self.assertIn(b"20 44", b"".join(piece.data for piece in seen))

    def test_who_leaves_a_stream_ends_the_command(self):
        session, mark = self.session(), f"sleep 77{os.getpid()}"
        with session.exec_stream(mark.split()) as stream:
            until(lambda: lives(mark))
        self.assertTrue(stream.result().aborted)
        self.assertFalse(lives(mark))

    def test_an_interrupt_ends_the_command(self):
        session, mark = self.session(), f"sleep 78{os.getpid()}"
        threading.Thread(target=lambda: (until(lambda: lives(mark)), os.kill(os.getpid(), signal.SIGINT))).start()
        with self.assertRaises(KeyboardInterrupt):
            session.exec(mark.split())
        self.assertFalse(lives(mark))

    def test_found_again_paused_and_listed(self):
        with self.session("one", labels={"task": "7"}, metadata={"a": [1, None]}, ttl=600, idle=60.5) as session:
            session.files.write("kept", "yes")
            other = coffer.Session.open("one", channel=self.enterContext(coffer.Channel()))
            self.assertEqual(other.files.read_text("kept"), "yes")
            info = other.info()
            self.assertEqual((info.ttl_ms, info.idle_ms, info.labels, info.metadata, info.state), (600000, 60500, {"task": "7"}, {"a": [1, None]}, "running"))
            session.pause()
            self.assertEqual(session.info().state, "paused")
            session.resume()
            self.assertEqual([each.id for each in coffer.sessions(labels={"task": "7"}, channel=self.channel)], ["one"])
            self.assertEqual(coffer.sessions(labels={"task": "8"}, channel=self.channel), [])
            with self.assertRaises(coffer.BusyError):
                self.session("one")
        with self.assertRaises(coffer.NotFoundError):
            coffer.Session.open("one", channel=self.channel)
        session.remove()  # it is gone: that is what was wanted

    def test_a_persistent_workspace(self):
        with self.session(workspace="w") as session:
            session.files.write("a", "1")
        with self.session(workspace="w") as session:
            self.assertEqual(session.files.read_text("a"), "1")
            session.remove(workspace=True)
        with self.session(workspace="w") as session:
            self.assertEqual(session.files.list().entries, [])

    def test_files(self):
        files = self.session().files
        files.write("src/a.txt", "one\ntwo\nthree\n", mode=0o600)
        files.append("src/a.txt", b"four\n")
        with self.assertRaises(coffer.BusyError):
            files.write("src/a.txt", "", exclusive=True)
        self.assertEqual((files.stat("src/a.txt").size, files.stat("src/a.txt").mode & 0o777), (19, 0o600))
        self.assertEqual(files.read("src/a.txt", offset=4, length=3), b"two")
        files.mkdir("src/deep/er")
        files.copy("src/a.txt", "src/deep/b.txt")
        files.move("src/deep/b.txt", "src/deep/c.txt")
        self.assertEqual([entry.path for entry in files.list(depth=5).entries], ["src", "src/a.txt", "src/deep", "src/deep/c.txt", "src/deep/er"])
        self.assertEqual([entry.path for entry in files.glob("**/*.txt").entries], ["src/a.txt", "src/deep/c.txt"])
        self.assertEqual([(match.path, match.line) for match in files.grep("^t", only="a.*").matches], [("src/a.txt", 2), ("src/a.txt", 3)])
        page = files.page("src/a.txt", start_line=2, line_count=2)
        self.assertEqual((page.text, page.next_line, page.truncated), ("two\nthree\n", 4, "lines"))
        self.assertEqual(files.list(depth=5, max_entries=1).cut, "entries")
        files.remove("src", recursive=True)
        with self.assertRaises(coffer.NotFoundError):
            files.read("src/a.txt")

    def test_no_path_leads_out(self):
        session = self.session()
        for path in ("../x", "/etc/passwd", "a/../../x"):
            with self.subTest(path), self.assertRaises(coffer.PolicyError):
                session.files.read(path)
        session.exec(["ln", "-s", "/etc/passwd", "link"])
        with self.assertRaises(coffer.DeniedError):
            session.files.read("link")
        session.exec(["sh", "-c", "printf x > \"$(printf 'b\\377d')\""])
        self.assertEqual(session.files.list().entries[0].path, b"b\xffd")
        self.assertEqual(session.files.read(b"b\xffd"), b"x")

    def test_what_is_too_large_is_said_with_its_number(self):
        session = self.session()
        session.files.write("a", "12345")
        with self.assertRaises(coffer.LimitError) as caught:
            session.files.read("a", max_bytes=4)
        self.assertEqual(caught.exception.errno, 27)

    def test_archives(self):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            member = tarfile.TarInfo("d/f")
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
        session = self.session()
        self.assertEqual(session.files.upload(buffer.getvalue(), "up").files, 1)
        self.assertEqual(session.exec(["cat", "up/d/f"]).text, "abc")
        with tarfile.open(fileobj=io.BytesIO(session.files.download("up"))) as tar:
            self.assertIn("up/d/f", tar.getnames())

    def test_changes_are_seen(self):
        session = self.session()
        with session.files.watch() as watch:
            session.exec(["sh", "-c", "echo x > new; mv new old"])
            seen = iter(watch)
            while (change := next(seen)).change != "move":
                pass
            self.assertEqual((change.path, change.moved_from), ("old", "new"))
        with self.assertRaises(coffer.NotFoundError):
            session.files.watch("nowhere")

    def test_processes_outlive_the_channel(self):
        channel = coffer.Channel()
        session = coffer.Session.create("one", channel=channel)
        id = session.processes.start(["sh", "-c", "cat; echo bad >&2; exec sleep 60"], input="fed\n").id
        channel.close()
        again = coffer.Session.open("one", channel=self.channel).processes
        until(lambda: again.logs(id).stderr == b"bad\n")
        self.assertEqual((again.logs(id).stdout, again.info(id).status, [process.id for process in again.list()]), (b"fed\n", "running", [id]))
        with self.assertRaises(coffer.LimitError):
            again.wait(id, timeout=0.1)
        self.assertEqual(again.stop(id).status, "stopped")
        self.assertEqual(again.wait(id).status, "stopped")
        again.forget(id)
        self.assertEqual(again.list(), [])

    def test_a_server_is_reached(self):
        session = self.session(policy={"network": {"mode": "filtered"}}, ports=[8080])
        session.files.write("page", "served")
        session.processes.start(["python3", "-m", "http.server", "8080"])
        port = session.ports.wait(8080, timeout=20)
        self.assertEqual([port], session.ports.list())
        with urllib.request.urlopen(f"http://{port.host}:{port.host_port}/page") as answer:
            self.assertEqual(answer.read(), b"served")
        with self.assertRaises(coffer.NotFoundError):
            session.ports.wait(81)

    def test_a_view_is_read_and_applied(self):
        project = os.path.join(self.top.name, "project")
        os.mkdir(project)
        for name, text in ("a", "1\n"), ("b", "2\n"):
            with open(os.path.join(project, name), "w", encoding="utf-8") as file:
                file.write(text)
        with self.session(directory=project, copy=True) as session:
            session.exec(["sh", "-c", "echo one > a; echo two > b; mkdir -p .git/hooks; echo sh > .git/hooks/pre-commit"])
            self.assertIn("-1\n+one\n", session.diff("a"))
            self.assertEqual(session.diff("a", "b", form="names"), "M a\nM b\n")
            all_of_it = session.apply()
            self.assertFalse(all_of_it.ok)
            self.assertIn((".git/hooks/pre-commit", "refused"), [(finding.path, finding.kind) for finding in all_of_it.findings])
            self.assertTrue(session.apply("a", check=True).ok)
            with open(os.path.join(project, "a"), encoding="utf-8") as file:
                self.assertEqual(file.read(), "1\n")
            self.assertEqual((session.apply("a").ok, session.diff("a")), (True, ""))
            with open(os.path.join(project, "b"), "w", encoding="utf-8") as file:
                file.write("changed on the host\n")
            self.assertEqual([finding.kind for finding in session.apply("b").findings], ["conflict"])
            with self.assertRaises(coffer.UsageError):
                session.diff(form="wrong")
            with self.assertRaises(coffer.UsageError):
                session.apply(hunks=["a"])
            self.assertEqual(json.loads(session.diff("b", form="json"))["changes"][0]["path"], "b")
        self.assertEqual(sorted(os.listdir(project)), ["a", "b"])
        with open(os.path.join(project, "a"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "one\n")
        with self.assertRaises(coffer.UsageError):
            self.session(copy=True)

    def test_a_session_goes_back_and_forks(self):
        project = os.path.join(self.top.name, "project")
        os.mkdir(project)
        with self.session(directory=project, copy=True) as session:
            session.exec(["sh", "-c", "echo first > file"])
            self.assertEqual(session.checkpoint("first"), 1)
            session.exec(["sh", "-c", "echo second > file"])
            fork = session.fork(layer=1)
            with coffer.Session.open(fork.id, channel=self.channel) as other:
                self.assertEqual(other.files.read("file"), b"first\n")
            session.checkout(1)
            self.assertEqual(session.files.read("file"), b"first\n")
            self.assertEqual([(layer.number, layer.label, layer.current) for layer in session.log()], [(1, "first", True)])


class TheChannel(Case):
    def test_more_at_once_than_may_run(self):
        session, done = self.session(), []
        threads = [threading.Thread(target=lambda i=i: done.append(session.exec(["sh", "-c", f"sleep 0.05; echo {i}"]).text)) for i in range(120)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(done), sorted(f"{i}\n" for i in range(120)))

    def test_when_it_is_killed_what_is_under_way_fails(self):
        session, caught = self.session("one"), []

        def wait():
            try:
                session.exec(["sleep", "60"])
            except coffer.ChannelError as error:
                caught.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        until(lambda: self.channel._pending)
        self.channel._process.kill()
        thread.join(10)
        self.assertRegex(caught[0], "channel ended")
        with self.assertRaises(coffer.ChannelError):
            session.exec(["true"])
        coffer.Session.open("one", channel=self.enterContext(coffer.Channel())).exec(["true"])

    def test_what_is_no_channel(self):
        for program, words in ("/bin/true", "ended"), ("/bin/echo", "something else"), ("/no/such", "cannot be started"):
            with self.subTest(program), self.assertRaisesRegex(coffer.ChannelError, words):
                coffer.Channel(program)
        fake = os.path.join(self.top.name, "fake")
        with open(fake, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho 'and it says why' >&2\n" + """echo '{"event":"hello","protocol":"coffer-channel","version":2}'; cat""")
        os.chmod(fake, 0o755)
        with self.assertRaisesRegex(coffer.ChannelError, "(?s)coffer-channel 2, and this package.*it says why"):
            coffer.Channel(fake)

    def test_errors_have_their_code_and_place(self):
        with self.assertRaises(coffer.PolicyError) as caught:
            self.session(policy={"limits": {"memroy": "1G"}})
        self.assertIn("memroy", caught.exception.where)
        with self.assertRaises(coffer.UsageError):
            self.session("../x")

    def test_every_method_is_used(self):
        source = inspect.getsource(calls) + inspect.getsource(coffer.session) + inspect.getsource(coffer.channel)
        missing = [method for method in self.channel.methods if f'"{method}"' not in source and method not in ("hello", "ping", "process.attach", "workspace.list", "workspace.discard")]
        self.assertEqual(missing, [])

    def test_both_kinds_of_sessions_have_the_same_methods(self):
        for name in ("Session", "Files", "Processes", "Ports", "ExecStream"):
            one, other = getattr(coffer.session, name), getattr(aio, name)
            for method, function in inspect.getmembers(one, inspect.isfunction):
                if not method.startswith("_") and method != "close":
                    with self.subTest(f"{name}.{method}"):
                        self.assertEqual(inspect.signature(function).parameters, inspect.signature(getattr(other, method)).parameters)


class Asyncio(Case):
    def run_async(self, body):
        async def with_session():
            async with await aio.Session.create(channel=self.channel) as session:
                await body(session)

        asyncio.run(asyncio.wait_for(with_session(), 60))

    def test_side_by_side(self):
        async def body(session):
            await session.files.write("a", "kept")
            begin = time.monotonic()
            done = await asyncio.gather(*(session.exec(["sh", "-c", f"cat a; sleep 0.5; echo {i}"]) for i in range(20)))
            self.assertEqual([result.text for result in done], [f"kept{i}\n" for i in range(20)])
            self.assertLess(time.monotonic() - begin, 8)
            with self.assertRaises(coffer.NotFoundError):
                await session.files.read("nowhere")

        self.run_async(body)

    def test_more_at_once_than_may_run(self):
        async def body(session):
            done = await asyncio.gather(*(session.exec(["echo", str(i)]) for i in range(120)))
            self.assertEqual([result.text for result in done], [f"{i}\n" for i in range(120)])

        self.run_async(body)

    def test_a_cancelled_task_leaves_nothing(self):
        mark = f"sleep 79{os.getpid()}"

        async def body(session):
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(session.exec(mark.split()), 0.5)
            self.assertFalse(lives(mark))

        self.run_async(body)

    def test_streams(self):
        async def body(session):
            async with await session.exec_stream(["sh", "-c", "read x; echo got $x; exec sleep 60"], interactive=True) as stream:
                await stream.write("it\n")
                async for piece in stream:
                    self.assertEqual(piece.data, b"got it\n")
                    break
            self.assertTrue((await stream.result()).aborted)
            async with await session.files.watch() as watch:
                await session.files.write("new", "")
                async for change in watch:
                    if change.path == "new":
                        break
            with contextlib.suppress(coffer.CofferError):
                await watch.result()

        self.run_async(body)


if __name__ == "__main__":
    unittest.main()
