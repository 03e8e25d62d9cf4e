"""A directory to work in, and the way into the sandbox: what the three agents have in common."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from dataclasses import dataclass

from sandbox_runtime import SandboxManager
from sandbox_runtime.config.schemas import SandboxRuntimeConfig

SETTINGS = {
    "network": {"allowedDomains": [], "deniedDomains": []},
    "filesystem": {"denyRead": ["~/.ssh", "~/.aws"], "allowWrite": ["."], "denyWrite": [".env"]},
}


@dataclass(frozen=True)
class Result:
    status: int
    stdout: str
    stderr: str  # with what was refused, between <sandbox_violations> marks

    @property
    def text(self) -> str:
        return (self.stdout + self.stderr).strip()


class Workbench:
    """`async with Workbench() as bench:` commands run in the bench's own directory, under SETTINGS, and may write there."""

    def __init__(self, settings: dict | None = None) -> None:
        self._config = SandboxRuntimeConfig.from_json(settings or SETTINGS)
        self.place = tempfile.mkdtemp(prefix="agent-")

    async def __aenter__(self) -> Workbench:
        await SandboxManager.initialize(self._config)
        return self

    async def __aexit__(self, *_) -> None:
        await SandboxManager.reset()
        shutil.rmtree(self.place, ignore_errors=True)

    def create(self, name: str, content: str) -> str:
        """Written by the agent itself, outside the sandbox: so the name is its to judge."""
        path = os.path.normpath(os.path.join(self.place, name))
        if not path.startswith(self.place + os.sep):
            raise ValueError(f"{name} is outside the workbench")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        return path

    def files(self) -> list[str]:
        return sorted(os.path.relpath(os.path.join(folder, name), self.place) for folder, _, names in os.walk(self.place) for name in names)

    async def run(self, command: str, timeout: float = 30) -> Result:
        wrapped = await SandboxManager.wrap_with_sandbox(command)
        process = await asyncio.create_subprocess_shell(
            "exec " + wrapped, cwd=self.place, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            stdout, stderr = await asyncio.wait_for(process.communicate(), timeout)
        except asyncio.TimeoutError:
            process.terminate()  # srt's end is the sandbox's
            await process.wait()
            return Result(124, "", f"stopped after {timeout:g} s")
        text = SandboxManager.annotate_stderr_with_sandbox_failures(command, stderr.decode(errors="replace"))
        return Result(process.returncode or 0, stdout.decode(errors="replace"), text)

    async def run_python(self, code: str) -> Result:
        self.create("snippet.py", code)
        return await self.run("python3 snippet.py")
