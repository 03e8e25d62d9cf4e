"""What comes back: the objects of docs/PROTOCOL.md."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Path = str | bytes  # bytes where a name is not UTF-8


def taken(cls: type[T], data: dict[str, Any], **more: Any) -> T:
    """A value of cls from what it knows of an answer; new members are for newer versions of this package."""
    names = {f.name for f in fields(cls)}  # type: ignore[arg-type]
    return cls(**{**{name: value for name, value in data.items() if name in names}, **more})


def path_in(path: Path) -> str | dict[str, str]:
    return path if isinstance(path, str) else {"base64": base64.b64encode(path).decode()}


def path_out(path: Any) -> Path:
    return path if isinstance(path, str) else base64.b64decode(path["base64"])


@dataclass(frozen=True)
class Denial:
    """Something that a command was refused."""

    operation: str
    target: str
    process: str | None = None
    errno: int = 0
    rule: str | None = None
    remedy: str | None = None
    count: int = 1


@dataclass(frozen=True)
class ExecResult:
    """What a command did. cause: exit, signal, timeout, memory, processes, cpu, output, file_size, policy, setup, cancelled or parent_gone."""

    exit_code: int | None
    cause: str
    stdout: bytes = field(default=b"", repr=False)
    stderr: bytes = field(default=b"", repr=False)
    signal: int | None = None
    message: str | None = None
    duration_ms: int = 0
    timed_out: bool = False
    aborted: bool = False
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_truncated: bool = False
    stderr_truncated: bool = False
    denials: list[Denial] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.cause == "exit" and self.exit_code == 0

    @property
    def text(self) -> str:
        """Standard output."""
        return self.stdout.decode(errors="replace")

    @property
    def error_text(self) -> str:
        return self.stderr.decode(errors="replace")


@dataclass(frozen=True)
class Output:
    """A piece of what a command wrote, as it comes."""

    stream: Literal["stdout", "stderr"]
    data: bytes


@dataclass(frozen=True)
class Port:
    port: int
    host: str
    host_port: int
    protocol: str = "tcp"


@dataclass(frozen=True)
class SessionInfo:
    id: str
    state: Literal["running", "paused", "stopped", "broken"]
    workdir: str = ""
    created_at_ms: int = 0
    ttl_ms: int = 0
    idle_ms: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    workspace: dict[str, Any] = field(default_factory=dict)
    ports: list[Port] = field(default_factory=list)
    execs: int = 0
    memory_bytes: int | None = None
    ends_in_ms: int | None = None
    idle_for_ms: int = 0
    fault: str | None = None


@dataclass(frozen=True)
class ProcessInfo:
    id: str
    argv: list[str]
    status: Literal["running", "exited", "stopped"]
    exit_code: int | None = None
    signal: int | None = None
    cause: str | None = None
    message: str | None = None
    started_at_ms: int = 0
    ended_at_ms: int | None = None


@dataclass(frozen=True)
class ProcessLogs:
    stdout: bytes
    stderr: bytes
    stdout_bytes: int = 0
    stderr_bytes: int = 0
    stdout_truncated: bool = False
    stderr_truncated: bool = False


@dataclass(frozen=True)
class Entry:
    path: Path
    type: Literal["file", "directory", "symlink", "other"]
    size: int = 0
    mode: int = 0
    mtime_ms: int = 0
    links: int = 1
    target: Path | None = None


@dataclass(frozen=True)
class Listing:
    """cut tells why it is not whole: None, entries, depth, bytes, time or unreadable."""

    entries: list[Entry]
    cut: str | None = None


@dataclass(frozen=True)
class Match:
    path: Path
    line: int
    column: int
    text: str
    line_cut: bool = False


@dataclass(frozen=True)
class Matches:
    matches: list[Match]
    files: int = 0
    binary: int = 0
    cut: str | None = None


@dataclass(frozen=True)
class Page:
    text: str
    start_line: int
    end_line: int
    next_line: int | None = None
    truncated: Literal["lines", "bytes"] | None = None


@dataclass(frozen=True)
class Change:
    """What became of a path that is watched: create, modify, delete, move (with moved_from), overflow (list again) or gone."""

    change: str
    path: Path = ""
    moved_from: Path | None = None
    directory: bool = False


@dataclass(frozen=True)
class Transfer:
    files: int = 0
    directories: int = 0
    links: int = 0
    bytes: int = 0
    skipped: int = 0


@dataclass(frozen=True)
class Finding:
    """What is in the way of an apply, or was worth saying of it: conflict, refused, …"""

    kind: str
    path: Path
    text: str


@dataclass(frozen=True)
class Layer:
    """A state that was kept; parent 0 is the beginning, created is in seconds since 1970."""

    number: int
    parent: int
    created: int
    current: bool
    label: str


@dataclass(frozen=True)
class ApplyResult:
    """ok: nothing was in the way. Else nothing was done, and findings say why, path by path."""

    ok: bool
    written: int = 0
    removed: int = 0
    made: int = 0
    completed: bool = False
    findings: list[Finding] = field(default_factory=list)


def session_info(data: dict[str, Any]) -> SessionInfo:
    return taken(SessionInfo, data, ports=[taken(Port, port) for port in data.get("ports") or []])


def entry(data: dict[str, Any]) -> Entry:
    target = data.get("target")
    return taken(Entry, data, path=path_out(data["path"]), target=None if target is None else path_out(target))


def listing(data: dict[str, Any]) -> Listing:
    return Listing([entry(each) for each in data["entries"]], data["cut"])


def matches(data: dict[str, Any]) -> Matches:
    return taken(Matches, data, matches=[taken(Match, each, path=path_out(each["path"])) for each in data["matches"]])


def logs(data: dict[str, Any]) -> ProcessLogs:
    return taken(ProcessLogs, data, stdout=base64.b64decode(data["stdout"]), stderr=base64.b64decode(data["stderr"]))


def change(data: dict[str, Any]) -> Change:
    moved = data.get("from")
    return taken(Change, data, path=path_out(data.get("path", "")), moved_from=None if moved is None else path_out(moved))


def applied(data: dict[str, Any], ok: bool) -> ApplyResult:
    return taken(ApplyResult, data, ok=ok, findings=[taken(Finding, each, path=path_out(each["path"])) for each in data["findings"]])
