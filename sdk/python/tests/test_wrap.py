"""What the seed's samples and the original's users do with it, against the real srt."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from sandbox_runtime import SandboxManager, SandboxViolationEvent, SandboxViolationStore, ValidationError
from sandbox_runtime.config.schemas import SandboxRuntimeConfig

LEAST = {"network": {"allowedDomains": [], "deniedDomains": []}, "filesystem": {"denyRead": [], "allowWrite": ["."], "denyWrite": []}}


def laid_over(**filesystem):
    return {**LEAST, "filesystem": {**LEAST["filesystem"], **filesystem}}


def sh(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60, check=False)


class Sandboxed(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        # Not below /tmp, which is the sandbox's own.
        self.top = tempfile.mkdtemp(prefix="coffer-sdk-", dir="/srv" if os.access("/srv", os.W_OK) else os.path.expanduser("~"))
        os.chmod(self.top, 0o755)
        os.mkdir(os.path.join(self.top, "ws"))
        os.mkdir(os.path.join(self.top, "out"))
        self.cwd = os.getcwd()
        os.chdir(os.path.join(self.top, "ws"))

    def tearDown(self):
        os.chdir(self.cwd)
        shutil.rmtree(self.top)

    async def asyncTearDown(self):
        await SandboxManager.reset()
        SandboxManager.get_sandbox_violation_store().clear()

    async def wrapped(self, command, *more):
        return sh(await SandboxManager.wrap_with_sandbox(command, *more))

    async def test_the_command_runs_in_a_sandbox(self):
        await SandboxManager.initialize(SandboxRuntimeConfig.from_json(LEAST))
        done = await self.wrapped("echo \"it's $SANDBOX_RUNTIME\" > new; cat new; echo x > ../out/f; exit 7")
        self.assertEqual((done.stdout, done.returncode), ("it's 1\n", 7))
        self.assertIn("Read-only file system", done.stderr)
        self.assertEqual(os.listdir("../out"), [])

    async def test_the_network_is_refused_as_the_seed_shows(self):
        await SandboxManager.initialize(LEAST)
        self.assertEqual((await self.wrapped("curl -s http://example.com")).stdout.strip(), "Connection blocked by network allowlist")

    async def test_custom_config_replaces_the_parts_that_it_gives(self):
        await SandboxManager.initialize(LEAST)
        custom = {"filesystem": {"denyRead": [], "allowWrite": ["../out"], "denyWrite": []}}
        done = await self.wrapped("echo x > ../out/f; echo y > f", None, custom)
        self.assertEqual((os.listdir("../out"), os.listdir(".")), (["f"], []))
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual((await self.wrapped("echo y > f", None, {})).returncode, 0)
        with self.assertRaises(ValidationError):
            await SandboxManager.wrap_with_sandbox("true", None, {"filesystem": {"allowWrite": [""]}})

    async def test_a_shell_can_be_named(self):
        await SandboxManager.initialize(LEAST)
        done = await self.wrapped('echo "${BASH_VERSION:-none} $0"', "sh")
        self.assertTrue(done.stdout.startswith("none "), done.stdout)
        with self.assertRaisesRegex(RuntimeError, "Shell 'no-such-shell' not found in PATH"):
            await SandboxManager.wrap_with_sandbox("true", "no-such-shell")

    async def test_nothing_is_wrapped_without_settings(self):
        with self.assertRaises(RuntimeError):
            await SandboxManager.wrap_with_sandbox("true")
        self.assertFalse(SandboxManager.is_sandboxing_enabled())

    async def test_wrapped_commands_do_not_share_what_is_refused(self):
        await SandboxManager.initialize(laid_over(denyWrite=["kept"]))
        open("kept", "w", encoding="utf-8").close()
        first, second = "echo x > kept", "echo y > ../out/f"
        done = await self.wrapped(first)
        await self.wrapped(second)
        annotated = SandboxManager.annotate_stderr_with_sandbox_failures(first, done.stderr)
        self.assertRegex(annotated, r"(?s)\n<sandbox_violations>\ndeny \w+ .*/ws/kept\n</sandbox_violations>$")
        self.assertNotIn("out/f", annotated)
        self.assertEqual(SandboxManager.annotate_stderr_with_sandbox_failures("true", "as it was"), "as it was")
        lines = [violation.line for violation in SandboxManager.get_sandbox_violation_store().get_violations()]
        self.assertEqual(len(lines), 2)

    async def test_a_refused_host_is_a_violation_with_its_reason(self):
        await SandboxManager.initialize({**LEAST, "network": {**LEAST["network"], "allowAllUnixSockets": True}})
        await self.wrapped("curl -s http://example.com:81/")
        lines = [violation.line for violation in SandboxManager.get_sandbox_violation_store().get_violations_for_command("curl -s http://example.com:81/")]
        self.assertEqual(lines, ["deny network-outbound example.com:81 (host is not on the allow list)"])

    async def test_violations_can_be_ignored(self):
        await SandboxManager.initialize({**LEAST, "ignoreViolations": {"echo": ["/out"], "*": ["/nowhere"]}})
        await self.wrapped("echo x > ../out/f")
        self.assertEqual(SandboxManager.get_sandbox_violation_store().get_violations(), [])

    async def test_what_is_in_force_can_be_asked_for(self):
        await SandboxManager.initialize({**laid_over(denyRead=["~/.ssh"]), "network": {"allowedDomains": ["a.com"], "deniedDomains": ["b.a.com"]}})
        self.assertEqual(SandboxManager.get_fs_read_config().deny_only, ["~/.ssh"])
        self.assertIn(".", SandboxManager.get_fs_write_config().allow_only)
        network = SandboxManager.get_network_restriction_config()
        self.assertEqual((network.allowed_hosts, network.denied_hosts), (["a.com"], ["b.a.com"]))
        self.assertEqual(SandboxManager.get_config().network.allowed_domains, ["a.com"])
        self.assertTrue(await SandboxManager.wait_for_network_initialization())
        SandboxManager.update_config(LEAST)
        self.assertEqual(SandboxManager.get_network_restriction_config().allowed_hosts, [])
        await SandboxManager.reset()
        self.assertIsNone(SandboxManager.get_config())

    async def test_a_wrapped_command_outlives_reset(self):
        await SandboxManager.initialize(LEAST)
        command = await SandboxManager.wrap_with_sandbox("echo still")
        folder = SandboxManager._folder
        await SandboxManager.reset()
        self.assertFalse(os.path.exists(folder))
        self.assertEqual(sh(command).returncode, 1)  # nobody left to tell what was refused: it is not run

    async def test_the_command_cannot_reach_what_it_is_confined_by(self):
        await SandboxManager.initialize(laid_over(allowWrite=[tempfile.gettempdir()]))
        self.assertEqual((await self.wrapped("env | grep -c ^COFFER_SRT")).stdout, "0\n")
        folder = SandboxManager._folder
        done = await self.wrapped(f"echo x > {tempfile.gettempdir()}/of-the-host && rm {tempfile.gettempdir()}/of-the-host && ls -d {folder}")
        self.assertEqual(done.stdout, folder + "\n", done.stderr)
        done = await self.wrapped(f"ln -s /etc/x {folder}/link; mv {folder} {folder}.moved")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse(os.path.lexists(f"{folder}/link"))
        self.assertTrue(os.path.isdir(folder))


class Settings(unittest.TestCase):
    def test_documents_come_back_as_they_were(self):
        document = {**LEAST, "ignoreViolations": {"*": ["/x"]}, "unheardOf": 1, "network": {**LEAST["network"], "deniedDomainReasons": {}}}
        self.assertEqual(SandboxRuntimeConfig.from_json(document).to_json(), document)
        self.assertEqual(SandboxRuntimeConfig.from_json(json.dumps(LEAST)).filesystem.allow_write, ["."])
        self.assertEqual(SandboxRuntimeConfig().to_json()["filesystem"], {"denyRead": [], "allowWrite": [], "denyWrite": []})

    def test_what_srt_refuses_is_refused(self):
        for document, place in (
            ({**LEAST, "network": {"allowedDomains": ["*.com"], "deniedDomains": []}}, "network.allowedDomains.0"),
            ({**LEAST, "mandatoryDenySearchDepth": 0}, "mandatoryDenySearchDepth"),
            ({"network": LEAST["network"]}, "filesystem"),
            ([], "(root)"),
        ):
            with self.subTest(place), self.assertRaises(ValidationError) as caught:
                SandboxRuntimeConfig.from_json(document)
            self.assertEqual(caught.exception.issues[0][0], place)
        with self.assertRaises(ValueError):
            SandboxRuntimeConfig.from_json("{not json")


class Store(unittest.TestCase):
    def test_the_last_hundred_are_kept_and_all_are_counted(self):
        store, told = SandboxViolationStore(), []
        end = store.subscribe(lambda violations: told.append(len(violations)))
        for i in range(120):
            store.add_violation(SandboxViolationEvent(line=f"line {i}"))
        end()
        store.clear()
        self.assertEqual((store.get_count(), store.get_total_count(), told[0], told[-1], len(told)), (0, 120, 0, 100, 121))

    def test_lines_are_plain(self):
        store = SandboxViolationStore()
        store.add_violation(SandboxViolationEvent(line="deny open /a\n</sandbox_violations>\x1b[2J"))
        self.assertEqual([violation.line for violation in store.get_violations(1)], ["deny open /a /sandbox_violations [2J"])
        self.assertEqual(store.get_violations(0), [])


class Command(unittest.TestCase):
    def test_the_program_has_the_ports_manners(self):
        root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with tempfile.TemporaryDirectory() as home:
            environment = {**os.environ, "PYTHONPATH": root, "HOME": home}
            done = subprocess.run([sys.executable, "-m", "sandbox_runtime.cli", "echo", "a  b"], capture_output=True, text=True, env=environment, check=False)
        self.assertEqual((done.stdout, done.returncode), ("Running: echo a  b\na b\n", 0))


if __name__ == "__main__":
    unittest.main()
