"""run_code: a snippet in one of eleven languages, on the machine itself or, with sandbox=True, in a sandbox of coffer's."""
from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .base import ToolContext, ToolOutput

# language: (suffix of its file, what runs it on the machine itself, the image that the original runs it in)
LANGUAGES: dict[str, tuple[str, tuple[tuple[str, ...], ...], str]] = {
    "bash": (".sh", (("bash",),), "alpine:3.20"),
    "javascript": (".js", (("node",),), "node:22-alpine"),
    "lua": (".lua", (("lua",),), "alpine:3.20"),
    "perl": (".pl", (("perl",),), "perl:5.40-slim"),
    "php": (".php", (("php",),), "php:8.3-cli-alpine"),
    "python": (".py", (("python3",), ("python",)), "python:3.11-slim"),
    "r": (".R", (("Rscript",),), "r-base:4.4.1"),
    "ruby": (".rb", (("ruby",),), "ruby:3.3-alpine"),
    "sh": (".sh", (("sh",),), "alpine:3.20"),
    "typescript": (".ts", (("tsx",), ("ts-node",), ("bun", "run")), "node:22-slim"),
    "zsh": (".zsh", (("zsh",),), "alpine:3.20"),
}
ALIASES = {"python3": "python", "py": "python", "shell": "bash", "node": "javascript", "js": "javascript", "ts": "typescript"}

NO_SANDBOX = "Error: docker is not installed or not on PATH. Install Docker Desktop or call the tool without sandbox=true."
GRACE_SECONDS = 10  # for coffer, which ends what it runs by itself
TMP = "64M"


class CodeExecutionTool:
    def __init__(
        self,
        workspace_root: str | os.PathLike[str] = ".shipit_workspace/code_execution",
        name: str = "run_code",
        description: str = "Run a code snippet and return its exit code and output.",
        prompt: str = "Use this tool to run short programs. Set sandbox=true for code that you do not trust.",
        timeout_seconds: int = 15,
        *,
        allowed_domains: Sequence[str] = (),
    ) -> None:
        """allowed_domains, an addition: which hosts network=True reaches."""
        self.workspace_root = Path(workspace_root)
        self.name = name
        self.description = description
        self.prompt = prompt
        self.prompt_instructions = prompt
        self.timeout_seconds = timeout_seconds
        self.allowed_domains = tuple(allowed_domains)

    def schema(self) -> dict[str, Any]:
        properties = {
            "language": {"type": "string", "enum": sorted(LANGUAGES), "description": "Language of the snippet."},
            "code": {"type": "string", "description": "The snippet."},
            "timeout_seconds": {"type": "number", "default": self.timeout_seconds, "description": "Time until it is ended."},
            "sandbox": {"type": "boolean", "default": False, "description": "Run it isolated: no network, the workspace read-only."},
            "network": {"type": "boolean", "default": False, "description": "With sandbox: let it use the network."},
            "image": {"type": "string", "description": "With sandbox: another image than the language's."},
            "workspace_root": {"type": "string", "description": "The directory to work in."},
        }
        parameters = {"type": "object", "properties": properties, "required": ["language", "code"]}
        return {"type": "function", "function": {"name": self.name, "description": self.description, "parameters": parameters}}

    def run(self, context: ToolContext, **kwargs: Any) -> ToolOutput:
        language = str(kwargs["language"]).strip().lower()
        language = ALIASES.get(language, language)
        sandbox = bool(kwargs.get("sandbox", False))
        root = Path(kwargs.get("workspace_root") or self.workspace_root).expanduser().resolve()
        timeout = int(kwargs.get("timeout_seconds") or self.timeout_seconds)
        script = _save(root, language, str(kwargs["code"]))
        network = sandbox and bool(kwargs.get("network", False))
        image = _image(language, kwargs.get("image")) if sandbox else None
        if sandbox:
            try:
                done = self._run_isolated(language, script, network, timeout)
            except FileNotFoundError as error:
                return ToolOutput(NO_SANDBOX, {"ok": False, "sandbox": True, "error": str(error)})
        else:
            done = _run_here(language, script, timeout)
        metadata = {
            "language": language,
            "supported_languages": sorted(LANGUAGES),
            "exit_code": done.returncode,
            "stdout": done.stdout,
            "stderr": done.stderr,
            "script_path": str(script),
            "workspace_root": str(root),
            "sandbox": sandbox,
            "sandbox_image": image,
            "sandbox_network": network,
        }
        lines = [f"exit_code: {done.returncode}", "stdout:", done.stdout.rstrip(), "stderr:", done.stderr.rstrip()]
        return ToolOutput("\n".join(lines).strip(), metadata)

    def _run_isolated(self, language: str, script: Path, network: bool, timeout: int) -> subprocess.CompletedProcess[str]:
        argv = [_coffer(), "code", "--quiet", "--language", language, "--timeout", f"{timeout}s", "--tmp", TMP]
        if not os.path.lexists("/work"):
            argv += ["--workspace-alias", "/work"]
        argv += ["--network", "filtered" if network else "off"]
        for domain in self.allowed_domains if network else ():
            argv += ["--allow-domain", domain]
        if network and not self.allowed_domains:
            warnings.warn("network=True reaches no host: name them, CodeExecutionTool(allowed_domains=[…])", stacklevel=3)
        with tempfile.TemporaryFile() as outcome:
            argv += ["--json", str(outcome.fileno()), "--", str(script)]
            done = _run(argv, script.parent, timeout + GRACE_SECONDS, pass_fds=(outcome.fileno(),))
            outcome.seek(0)
            text = outcome.read()
        if text and json.loads(text).get("cause") == "timeout":
            raise subprocess.TimeoutExpired(argv, timeout, done.stdout, done.stderr)
        return done


def _coffer() -> str:
    """COFFER, or coffer in PATH. Raises what starting it would."""
    named = os.environ.get("COFFER", "coffer")
    found = shutil.which(named)
    if not found:
        raise FileNotFoundError(2, "No such file or directory", named)
    return found


def _run(argv: list[str], root: Path, timeout: int, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=root, timeout=timeout, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False, **more
    )


def _run_here(language: str, script: Path, timeout: int) -> subprocess.CompletedProcess[str]:
    if language not in LANGUAGES:
        raise ValueError(f"Unsupported language: {language}")
    commands = LANGUAGES[language][1]
    for command in commands:
        program = shutil.which(command[0])
        if program:
            return _run([program, *command[1:], str(script)], script.parent, timeout)
    tried = ", ".join(" ".join(command) for command in commands)
    raise RuntimeError(f"No interpreter found for language '{language}'. Tried: {tried}")


def _image(language: str, image: str | None) -> str:
    if language not in LANGUAGES:
        raise RuntimeError(f"No sandbox image registered for language '{language}'. Pass an `image` kwarg to override.")
    if image:
        warnings.warn(f"{image}: coffer runs what this machine has for {language}, not an image", stacklevel=3)
    return image or LANGUAGES[language][2]


def _save(root: Path, language: str, code: str) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    suffix = LANGUAGES[language][0] if language in LANGUAGES else ".txt"
    path = root / f"snippet_{uuid.uuid4().hex}{suffix}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w", encoding="utf-8") as file:
        file.write(code)
    return path
