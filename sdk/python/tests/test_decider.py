"""The ask callback and filterRequest, against the real srt. A parent proxy of ours stands for all hosts."""

import asyncio
import http.server
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from sandbox_runtime import SandboxManager
from sandbox_runtime.sandbox import decider


class Hosts(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.seen.append((self.path, body, self.headers.get("x-set"), self.headers.get("x-gone")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"reached")

    do_POST = do_GET

    def log_message(self, *_):
        pass


class Case(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.hosts = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hosts)
        self.hosts.seen = []
        threading.Thread(target=self.hosts.serve_forever, daemon=True).start()
        self.top = tempfile.TemporaryDirectory(prefix="coffer-decider-", dir="/srv" if os.access("/srv", os.W_OK) else os.path.expanduser("~"))
        self.asked, self.cwd = [], os.getcwd()
        os.chdir(self.top.name)

    async def asyncTearDown(self):
        await SandboxManager.reset()
        SandboxManager.get_sandbox_violation_store().clear()
        os.chdir(self.cwd)
        self.top.cleanup()
        self.hosts.shutdown()
        self.hosts.server_close()

    def config(self, **network):
        lists = {"allowedDomains": ["listed.test"], "deniedDomains": ["denied.test"], "allowAllUnixSockets": True}
        parent = {"http": f"http://127.0.0.1:{self.hosts.server_port}"}
        return {"network": {**lists, "parentProxy": parent, **network}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}

    async def sh(self, command):
        process = await asyncio.create_subprocess_shell(await SandboxManager.wrap_with_sandbox(command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE)
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return out.decode().strip() + err.decode().strip()

    async def get(self, url, more=""):
        return await self.sh(f"curl -sS {more} {url}")

    def asks(self, answer):
        async def ask(params):
            self.asked.append(params)
            return answer(params["host"]) if callable(answer) else answer

        return ask


class AskCallback(Case):
    async def test_hosts_on_no_list_are_asked_about_and_no_others(self):
        await SandboxManager.initialize(self.config(), self.asks(lambda host: host == "yes.test"))
        for host, answer in ("yes.test", "reached"), ("no.test", "Connection blocked by network allowlist"), ("listed.test", "reached"), ("denied.test", "Connection blocked by network allowlist"):
            self.assertEqual(await self.get(f"http://{host}/"), answer, host)
        self.assertEqual(self.asked, [{"host": "yes.test", "port": 80}, {"host": "no.test", "port": 80}])
        self.assertEqual([path for path, *_ in self.hosts.seen], ["http://yes.test/", "http://listed.test/"])

    async def test_a_refusal_has_the_reason_that_was_given(self):
        reason = "not\r\nX-Injected: yes " + "x" * 600
        await SandboxManager.initialize(self.config(), self.asks({"allow": False, "reason": reason}))
        said = await self.get("http://no.test:81/", "-i")
        self.assertIn("HTTP/1.1 403 not  X-Injected: yes xxx", said)
        self.assertNotIn("\nX-Injected", said)
        line = SandboxManager.get_sandbox_violation_store().get_violations()[0].line
        self.assertTrue(line.startswith("deny network-outbound no.test:81 (not  X-Injected"), line)
        self.assertLess(len(line), 600)

    async def test_programs_that_know_no_proxy_are_asked_about_as_well(self):
        await SandboxManager.initialize(self.config(), self.asks({"allow": False, "reason": "by the way"}))
        said = await self.sh(r"exec 3<>/dev/tcp/no.test/80; printf 'GET / HTTP/1.1\r\nHost: no.test\r\n\r\n' >&3; head -n 1 <&3")
        self.assertIn("403 by the way", said)
        self.assertEqual(self.asked, [{"host": "no.test", "port": 80}])

    async def test_what_is_no_yes_is_no(self):
        for answer in None, 1, "yes", {"allow": "true"}, [], {"allow": False}:
            with self.subTest(answer):
                await SandboxManager.initialize(self.config(), self.asks(answer))
                self.assertIn("403 user denied", await self.get("http://no.test/", "-i"))
                await SandboxManager.reset()
        await SandboxManager.initialize(self.config(), self.asks(lambda host: 1 // 0))
        self.assertIn("403 permission prompt failed", await self.get("http://no.test/", "-i"))
        self.assertEqual(self.hosts.seen, [])

    async def test_a_yes_opens_nothing_of_this_machine(self):
        await SandboxManager.initialize(self.config(parentProxy={"noProxy": "*"}), self.asks(True))
        self.assertIn("resolved to a loopback address", await self.get(f"http://127.0.0.1:{self.hosts.server_port}/", "--noproxy ''"))
        self.assertIn("metadata", await self.get("http://169.254.169.254/", "--noproxy ''"))
        self.assertEqual((len(self.asked), self.hosts.seen), (2, []))

    async def test_under_strict_allowlist_nobody_is_asked(self):
        await SandboxManager.initialize(self.config(strictAllowlist=True), self.asks(True))
        self.assertEqual(await self.get("http://no.test/"), "Connection blocked by network allowlist")
        self.assertEqual(self.asked, [])

    async def test_a_callback_may_take_its_time_and_others_go_on(self):
        async def ask(params):
            self.asked.append(params["host"])
            await asyncio.sleep(8)  # longer than a decider of `srt proxy` may
            return True

        await SandboxManager.initialize(self.config(), ask)
        slow = asyncio.create_task(self.get("http://slow.test/"))
        while not self.asked:
            await asyncio.sleep(0.05)
        begin = time.monotonic()
        self.assertEqual(await self.get("http://listed.test/"), "reached")
        self.assertLess(time.monotonic() - begin, 5)
        self.assertEqual(await slow, "reached")

    async def test_a_callback_is_called_while_the_caller_waits_for_the_command(self):
        await SandboxManager.initialize(self.config(), self.asks(True))
        command = await SandboxManager.wrap_with_sandbox("curl -sS http://yes.test/")
        self.assertEqual(subprocess.run(command, shell=True, capture_output=True, text=True, check=False).stdout, "reached")

    async def test_after_reset_what_runs_is_refused_what_would_be_asked(self):
        hold = threading.Event()

        async def ask(params):
            hold.set()
            await asyncio.sleep(60)

        await SandboxManager.initialize(self.config(), ask)
        running = asyncio.create_task(self.sh("curl -sS -i http://a.test/; curl -sS -i http://b.test/; curl -sS http://listed.test/"))
        while not hold.is_set():
            await asyncio.sleep(0.05)
        await SandboxManager.reset()
        said = await running
        self.assertEqual(said.count("403 permission prompt failed"), 2, said)
        self.assertTrue(said.endswith("reached"), said)

    async def test_the_command_cannot_ask_in_the_filters_name(self):
        await SandboxManager.initialize(self.config(), self.asks(True))
        await SandboxManager.wrap_with_sandbox("true")  # the socket is there
        path = os.path.join(SandboxManager._folder, "decider")
        self.assertEqual(await self.sh("env | grep -c DECIDER"), "0")
        frames = b""
        for frame in b'{"t":"token","token":"' + b"0" * 32 + b'"}', b'{"t":"hello","proto":1}', b'{"t":"ask","id":1,"host":"x.test","port":1}':
            frames += struct.pack(">I", len(frame)) + frame
        code = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({path!r}); s.sendall({frames!r}); print(s.recv(1) if 1 else 0)"
        self.assertRegex(await self.sh(f'python3 -c "{code}" 2>&1 | tail -n 1'), "^b''$|refused|denied|reset|No such|Broken")
        self.assertEqual(self.asked, [])
        for data in frames, b"\xff\xff\xff\xff", struct.pack(">I", 2) + b"[]", b"":
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(15)
                s.connect(path)
                s.sendall(data)
                s.shutdown(socket.SHUT_WR)
                try:
                    self.assertEqual(s.recv(1), b"")
                except ConnectionResetError:
                    pass

    async def test_a_command_whose_decider_is_gone_is_not_run(self):
        await SandboxManager.initialize(self.config(), self.asks(True))
        command = await SandboxManager.wrap_with_sandbox("echo ran")
        await SandboxManager.reset()
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        self.assertEqual((done.stdout, done.returncode), ("", 1))


class FilterRequest(Case):
    async def filtered(self, decide, **network):
        def filter_request(request):
            self.asked.append(request)
            return decide(request)

        await SandboxManager.initialize(self.config(filterRequest=filter_request, **network))

    async def test_each_request_is_shown_and_decided(self):
        await self.filtered(lambda request: {"action": "deny", "status": 451, "reason": "not that"} if "bad" in request.path else {"action": "allow"})
        self.assertEqual(await self.get("'http://listed.test/good?a=b'", "-H 'X-One: 1'"), "reached")
        self.assertIn("HTTP/1.1 451", await self.get("http://listed.test/bad", "-i"))
        self.assertEqual(await self.get("http://no.test/"), "Connection blocked by network allowlist")
        first = self.asked[0]
        self.assertEqual((first.method, first.url, first.host_header, first.headers["x-one"], first.sni), ("GET", "http://listed.test:80/good?a=b", "listed.test", ["1"], None))
        self.assertEqual((len(self.asked), len(self.hosts.seen)), (2, 1))

    async def test_headers_are_changed(self):
        await self.filtered(lambda request: {"action": "allow", "setHeaders": {"X-Set": "it"}, "removeHeaders": ["X-Gone"]}, allowPlaintextHeaderSet=True)
        self.assertEqual(await self.get("http://listed.test/", "-H 'X-Gone: 1'"), "reached")
        self.assertEqual(self.hosts.seen[0][2:], ("it", None))

    async def test_bodies_are_seen_before_they_go_on(self):
        async def decide(request):
            return {"action": "deny" if b"secret" in await request.body() else "allow"}

        await self.filtered(decide)
        self.assertEqual(await self.get("http://listed.test/", "-d plain"), "reached")
        self.assertEqual(await self.get("http://listed.test/", "-d a-secret"), "denied by sandbox policy")
        self.assertEqual([body for _, body, *_ in self.hosts.seen], [b"plain"])

        async def small(request):
            return {"action": "allow"} if await request.body(4) else None

        await SandboxManager.reset()
        await self.filtered(small)
        self.assertEqual(await self.get("http://listed.test/", "-d larger"), "denied by sandbox policy")

    async def test_what_is_no_decision_is_no(self):
        for answer in None, True, {"action": "Allow"}, {"action": "allow", "setHeaders": {"host": "x"}}, {"action": "allow", "setHeaders": 7}:
            with self.subTest(answer):
                await self.filtered(lambda request, answer=answer: answer)
                self.assertNotIn("reached", await self.get("http://listed.test/"))
                await SandboxManager.reset()
        self.assertEqual(self.hosts.seen, [])

    async def test_what_cannot_be_seen_does_not_pass(self):
        await self.filtered(lambda request: {"action": "allow"})
        self.assertNotIn("reached", await self.sh(r"exec 3<>/dev/tcp/listed.test/22; printf 'SSH-2.0-x\r\n' >&3; head -n 1 <&3"))
        self.assertEqual(self.hosts.seen, [])

    async def test_hosts_first_then_requests(self):
        order = []
        config = self.config(filterRequest=lambda request: order.append("request") or {"action": "allow"})
        await SandboxManager.initialize(config, lambda params: order.append(params["host"]) or params["host"] == "yes.test")
        self.assertEqual(await self.get("http://yes.test/"), "reached")
        self.assertNotIn("reached", await self.get("http://no.test/"))
        self.assertEqual(order, ["yes.test", "request", "no.test"])
        self.assertTrue(callable(SandboxManager.get_config().network.filter_request))


class Verdicts(unittest.TestCase):
    def test_statuses_are_those_of_refusals(self):
        for status, told in (404, 404), (200, 403), ("404", 403), (True, 403), (None, 403):
            self.assertEqual(decider.request_verdict({"action": "deny", "status": status})["status"], told)


if __name__ == "__main__":
    unittest.main()
