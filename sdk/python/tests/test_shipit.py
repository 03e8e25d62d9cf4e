"""The seed's samples, and what docs/compat/shipit.md promises, against the real coffer."""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import warnings

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from shipit_agent.tools.base import ToolContext, ToolOutput
from shipit_agent.tools.code_execution import CodeExecutionTool

QUICK_START = """
from shipit_agent.tools.code_execution import CodeExecutionTool
from shipit_agent.tools.base import ToolContext

tool = CodeExecutionTool()
out = tool.run(
    ToolContext(prompt="demo"),
    language="python",
    code="print('hello from the sandbox')",
    sandbox=True,
)
print(out.text)
# exit_code: 0
# stdout:
# hello from the sandbox
# stderr:
print(out.metadata["sandbox_image"])   # "python:3.11-slim"
print(out.metadata["sandbox_network"]) # False
"""
OTHER_IMAGE = """
tool.run(ctx,
    language="python", code="...", sandbox=True,
    image="python:3.12-alpine",          # your own cached image
)
"""
NETWORK = """
tool.run(ctx,
    language="python", code="import urllib.request; print(urllib.request.urlopen('https://example.com').status)",
    sandbox=True,
    network=True,                         # ← bridge network instead of none
)
"""
WORKSPACE = """
tool.run(ctx,
    language="python",
    code="import pathlib; print(list(pathlib.Path('.').iterdir())[:5])",
    workspace_root="/path/to/user/project",
    sandbox=True,
)
"""
FALLBACK = """
out = tool.run(ctx, language="python", code="print(1)", sandbox=True)
# On a machine without docker:
out.metadata == {"ok": False, "sandbox": True, "error": "[Errno 2] ..."}
out.text     == "Error: docker is not installed or not on PATH. ..."
"""
KEYS = ["language", "supported_languages", "exit_code", "stdout", "stderr", "script_path", "workspace_root", "sandbox", "sandbox_image", "sandbox_network"]
ELEVEN = ["bash", "javascript", "lua", "perl", "php", "python", "r", "ruby", "sh", "typescript", "zsh"]


class Shipit(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(dir="/var/tmp"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.before = os.getcwd()
        self.addCleanup(os.chdir, self.before)
        os.chdir(self.folder)
        self.tool = CodeExecutionTool()
        self.ctx = ToolContext(prompt="demo")

    def run_code(self, **kwargs):
        return self.tool.run(self.ctx, **{"language": "python", "code": "", "sandbox": True, **kwargs})

    def sample(self, code, **names):
        scope = {"tool": self.tool, "ctx": self.ctx, **names}
        said = io.StringIO()
        with contextlib.redirect_stdout(said), warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            exec(code, scope)
        return scope, said.getvalue(), [str(w.message) for w in warned]

    def test_quick_start(self):
        _, said, _ = self.sample(QUICK_START)
        self.assertEqual(said, "exit_code: 0\nstdout:\nhello from the sandbox\nstderr:\npython:3.11-slim\nFalse\n")

    def test_another_image(self):
        _, _, warned = self.sample(OTHER_IMAGE)
        self.assertIn("python:3.12-alpine", warned[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.assertEqual(self.run_code(image="python:3.12-alpine", code="...").metadata["sandbox_image"], "python:3.12-alpine")

    def test_network_is_opted_into(self):
        _, _, warned = self.sample(NETWORK)
        self.assertIn("allowed_domains", warned[0])
        self.assertTrue(CodeExecutionTool(allowed_domains=["example.com"]).run(self.ctx, language="sh", code="true", sandbox=True, network=True).metadata["sandbox_network"])
        out = self.run_code(code="import socket; socket.create_connection(('192.0.2.1', 80), 1)")
        self.assertEqual((out.metadata["exit_code"], out.metadata["sandbox_network"]), (1, False))
        self.assertIn("Network is unreachable", out.text)

    def test_a_workspace_of_the_users(self):
        os.mkdir("project")
        for name in ("a", "b"):
            with open(f"project/{name}", "w", encoding="utf-8") as file:
                file.write(name)
        code = WORKSPACE.replace("/path/to/user/project", self.folder + "/project")
        self.sample(code)
        out = self.run_code(code="import os; print(sorted(os.listdir('.'))[:2], os.getcwd())\nopen('a', 'w')", workspace_root="project")
        self.assertIn(f"['a', 'b'] {self.folder}/project\n", out.metadata["stdout"])
        self.assertIn("Read-only file system", out.metadata["stderr"])
        with open("project/a", encoding="utf-8") as file:
            self.assertEqual(file.read(), "a")

    def test_fallback(self):
        os.environ["COFFER"], kept = "/nowhere/coffer", os.environ.get("COFFER")
        try:
            out = self.sample(FALLBACK)[0]["out"]
        finally:
            del os.environ["COFFER"]
            os.environ.update({"COFFER": kept} if kept else {})
        self.assertEqual(out.text, "Error: docker is not installed or not on PATH. Install Docker Desktop or call the tool without sandbox=true.")
        self.assertEqual(out.metadata, {"ok": False, "sandbox": True, "error": "[Errno 2] No such file or directory: '/nowhere/coffer'"})

    def test_text_and_metadata(self):
        for sandbox in (False, True):
            code = "import sys; print('out  '); print('err', file=sys.stderr); sys.exit(3)"
            out = self.run_code(language=" PY ", code=code, sandbox=sandbox)
            self.assertIsInstance(out, ToolOutput)
            self.assertEqual(out.text, "exit_code: 3\nstdout:\nout\nstderr:\nerr")
            self.assertEqual(list(out.metadata), KEYS)
            self.assertEqual(out.metadata["stdout"], "out  \n")
            self.assertEqual((out.metadata["language"], out.metadata["sandbox"]), ("python", sandbox))
            self.assertEqual(out.metadata["sandbox_image"], "python:3.11-slim" if sandbox else None)
            self.assertIs(out.metadata["sandbox_network"], False)
            self.assertEqual(out.metadata["supported_languages"], ELEVEN)
            self.assertEqual(out.metadata["workspace_root"], self.folder + "/.shipit_workspace/code_execution")
            self.assertEqual(os.stat(out.metadata["script_path"]).st_mode & 0o777, 0o600)
            with open(out.metadata["script_path"], encoding="utf-8") as file:
                self.assertEqual(file.read(), code)

    def test_every_language(self):
        codes = {"python": "print(6)", "javascript": "console.log(6)", "typescript": "const x: number = 6; console.log(x)", "ruby": "puts 6", "php": "<?php echo 6;",
                 "lua": "print(6)", "r": "cat(6)", "perl": "print 6", "sh": "echo 6", "bash": "[[ 1 ]] && echo 6", "zsh": "print -r 6"}
        there = {line.split()[0]: line.split()[1] == "here" for line in subprocess.run(["coffer", "code", "--list"], capture_output=True, text=True, check=True).stdout.splitlines()}
        for language in ELEVEN:
            with self.subTest(language):
                out = self.run_code(language=language, code=codes[language])
                if there[language]:
                    self.assertEqual(out.text, "exit_code: 0\nstdout:\n6\nstderr:")
                else:
                    print(f"# skip {language}: not here", file=sys.stderr)
                    self.assertEqual(out.metadata["exit_code"], 125)
                    self.assertIn("apt-get install", out.metadata["stderr"])

    def test_aliases(self):
        for alias, language in {"python3": "python", "py": "python", "shell": "bash", "node": "javascript", "JS": "javascript", "Sh": "sh"}.items():
            self.assertEqual(self.run_code(language=alias, code="").metadata["language"], language)

    def test_errors(self):
        with self.assertRaisesRegex(ValueError, "^Unsupported language: cobol$"):
            self.run_code(language="cobol", sandbox=False)
        with self.assertRaisesRegex(RuntimeError, "^No sandbox image registered for language 'cobol'. Pass an `image` kwarg to override.$"):
            self.run_code(language="cobol")
        self.assertTrue(any(name.endswith(".txt") for name in os.listdir(self.tool.workspace_root)))
        path, os.environ["PATH"] = os.environ["PATH"], "/nowhere"
        try:
            with self.assertRaisesRegex(RuntimeError, "^No interpreter found for language 'typescript'. Tried: tsx, ts-node, bun run$"):
                self.run_code(language="ts", sandbox=False)
        finally:
            os.environ["PATH"] = path

    def test_timeout(self):
        for sandbox in (False, True):
            with self.assertRaises(subprocess.TimeoutExpired) as caught:
                self.run_code(code="print(1, flush=True)\nwhile True: pass", timeout_seconds=2, sandbox=sandbox)
            self.assertEqual(caught.exception.timeout, 2)

    def test_schema(self):
        schema = self.tool.schema()
        self.assertEqual((schema["type"], schema["function"]["name"]), ("function", "run_code"))
        parameters = schema["function"]["parameters"]
        self.assertEqual(parameters["properties"]["language"]["enum"], ELEVEN)
        self.assertEqual(set(parameters["properties"]), {"language", "code", "timeout_seconds", "sandbox", "network", "image", "workspace_root"})
        self.assertEqual(parameters["required"], ["language", "code"])


if __name__ == "__main__":
    unittest.main()
