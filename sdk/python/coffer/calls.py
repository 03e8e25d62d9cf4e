"""What can be asked of a session, as values: Session and AsyncSession carry them out, each in its own way."""

from __future__ import annotations

import base64
import errno
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from coffer import values
from coffer.channel import Channel, Event, OnEvent, Request
from coffer.errors import CofferError, UsageError
from coffer.values import ApplyResult, Change, Entry, ExecResult, Layer, Listing, Matches, Output, Page, Path, Port, ProcessInfo, ProcessLogs, SessionInfo, Transfer, path_in

R = TypeVar("R")
OUTPUT_MAX = 16 << 20  # of each stream of a command, unless somebody says otherwise

Argv = Sequence[str]
Env = Mapping[str, "str | None"]


@dataclass
class Call(Generic[R]):
    """A request: its method and parameters, what becomes of its events and its result; input for the member `into`, the rest of it by `more`."""

    method: str
    params: dict[str, Any]
    result: Callable[[Any], R]
    on_event: OnEvent | None = None
    input: bytes | None = None
    into: str = ""
    more: str = ""
    failed: Callable[[CofferError], R] | None = None  # where an error is a result as well
    request: Request | None = field(default=None, init=False)

    def steps(self, channel: Channel) -> Generator[Future[Any], Any, R]:
        """Whoever carries it out waits for each future that comes, and sends its result back in, or throws its error."""
        turn = channel.turn()
        try:
            yield turn
        except BaseException:
            if not turn.cancel():
                channel.leave()
            raise
        pieces = [] if self.input is None else channel.pieces(self.input)
        params = dict(self.params)
        if len(pieces) == 1:
            params[self.into] = pieces[0]
        elif pieces:
            params["stream_input"] = True
        try:
            self.request = channel.start(self.method, params, self.on_event)
        except BaseException:
            channel.leave()
            raise
        self.request.done.add_done_callback(lambda _: channel.leave())
        for i, piece in enumerate(pieces if len(pieces) > 1 else []):
            try:
                yield channel.start(self.more, {"id": self.request.id, "data": piece, "end": i + 1 == len(pieces)}).done
            except CofferError as error:
                if error.code == "notfound":  # a command need not read its input; what became of it is in the answer
                    break
                channel.cancel(self.request)
                raise
        try:
            answer = yield self.request.done
        except CofferError as error:
            if self.failed is None:
                raise
            return self.failed(error)
        return self.result(answer)

    def cancel(self, channel: Channel) -> Future[Any] | None:
        """Calls it off; when what comes back is settled, nothing of it runs any more."""
        if self.request is None or self.request.done.done():
            return None
        channel.cancel(self.request)
        return self.request.done


def milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000)) if seconds > 0 else 0


def as_bytes(data: str | bytes) -> bytes:
    return data.encode() if isinstance(data, str) else bytes(data)


def nothing(_: Any) -> None:
    return None


class _Collected:
    """Bytes of events, by the event's name."""

    def __init__(self, *names: str) -> None:
        self._parts: dict[str, list[bytes]] = {name: [] for name in names}

    def take(self, event: Event) -> None:
        if event["event"] in self._parts:
            self._parts[event["event"]].append(base64.b64decode(event["data"]))

    def __getitem__(self, name: str) -> bytes:
        return b"".join(self._parts[name])


# ---- sessions


def create(
    name: str | None,
    *,
    policy: Mapping[str, Any] | None,
    directory: str | None,
    copy: bool,
    workspace: str | None,
    labels: Mapping[str, str] | None,
    metadata: Mapping[str, Any] | None,
    env: Mapping[str, str] | None,
    ttl: float | None,
    idle: float | None,
    ports: Sequence[int | Mapping[str, int]] | None,
) -> Call[SessionInfo]:
    kind = None if workspace is None else {"kind": "persistent", "id": workspace}
    params = {"id": name, "policy": policy, "directory": directory, "copy": copy or None, "workspace": kind, "labels": labels, "metadata": metadata, "env": env}
    params |= {"ttl_ms": milliseconds(ttl), "idle_ms": milliseconds(idle), "ports": ports}
    return Call("session.create", params, values.session_info)


def open(name: str) -> Call[SessionInfo]:
    return Call("session.open", {"session": name}, values.session_info)


def sessions(labels: Mapping[str, str] | None) -> Call[list[SessionInfo]]:
    return Call("session.list", {"labels": labels}, lambda result: [values.session_info(each) for each in result["sessions"]])


class Calls:
    """Of one session."""

    def __init__(self, name: str) -> None:
        self._name = name

    def _call(self, method: str, params: Mapping[str, Any], result: Callable[[Any], R], **more: Any) -> Call[R]:
        return Call(method, {"session": self._name, **params}, result, **more)

    def info(self) -> Call[SessionInfo]:
        return self._call("session.info", {}, values.session_info)

    def pause(self) -> Call[None]:
        return self._call("session.pause", {}, nothing)

    def resume(self) -> Call[None]:
        return self._call("session.resume", {}, nothing)

    def remove(self, workspace: bool) -> Call[None]:
        return self._call("session.remove", {"workspace": workspace}, nothing)

    # ---- commands

    def _exec(self, argv: Argv, cwd: str | None, env: Env | None, timeout: float | None, most: int | None) -> dict[str, Any]:
        if isinstance(argv, str):
            raise TypeError('argv is a list of words: ["sh", "-c", line] asks for a shell')
        return {"argv": list(argv), "cwd": cwd, "env": env, "timeout_ms": milliseconds(timeout), "max_output_bytes": most}

    def exec(self, argv: Argv, cwd: str | None, env: Env | None, timeout: float | None, input: str | bytes | None, most: int | None) -> Call[ExecResult]:
        streams = _Collected("stdout", "stderr")
        return self._call(
            "exec",
            self._exec(argv, cwd, env, timeout, most),
            lambda result: exec_result(result, streams["stdout"], streams["stderr"]),
            on_event=streams.take,
            input=None if input is None else as_bytes(input),
            into="input",
            more="exec.input",
        )

    def exec_stream(
        self, argv: Argv, cwd: str | None, env: Env | None, timeout: float | None, most: int | None, interactive: bool, terminal: tuple[int, int] | None, take: Callable[[Output], None]
    ) -> Call[ExecResult]:
        size = None if terminal is None else {"rows": terminal[0], "cols": terminal[1]}
        params = {**self._exec(argv, cwd, env, timeout, most), "stream_input": interactive or size is not None, "terminal": size}

        def on_event(event: Event) -> None:
            if event["event"] in ("stdout", "stderr"):
                take(Output(event["event"], base64.b64decode(event["data"])))

        return self._call("exec", params, lambda result: exec_result(result, b"", b""), on_event=on_event)

    # ---- processes that stay

    def start(self, argv: Argv, cwd: str | None, env: Env | None, input: str | bytes | None, log_bytes: int | None, timeout: float | None) -> Call[ProcessInfo]:
        params = {**self._exec(argv, cwd, env, timeout, None), "log_bytes": log_bytes}
        del params["max_output_bytes"]
        if input is not None:
            params["input"] = base64.b64encode(as_bytes(input)).decode()
        return self._call("process.start", params, lambda result: values.taken(ProcessInfo, result))

    def processes(self) -> Call[list[ProcessInfo]]:
        return self._call("process.list", {}, lambda result: [values.taken(ProcessInfo, each) for each in result["processes"]])

    def process(self, id: str) -> Call[ProcessInfo]:
        return self._call("process.info", {"process": id}, lambda result: values.taken(ProcessInfo, result))

    def wait_process(self, id: str, timeout: float | None) -> Call[ProcessInfo]:
        return self._call("process.wait", {"process": id, "timeout_ms": milliseconds(timeout)}, lambda result: values.taken(ProcessInfo, result))

    def process_logs(self, id: str, tail_bytes: int | None) -> Call[ProcessLogs]:
        return self._call("process.logs", {"process": id, "tail_bytes": tail_bytes}, values.logs)

    def stop_process(self, id: str, grace: float | None) -> Call[ProcessInfo]:
        return self._call("process.stop", {"process": id, "grace_ms": milliseconds(grace)}, lambda result: values.taken(ProcessInfo, result))

    def forget_process(self, id: str) -> Call[None]:
        return self._call("process.remove", {"process": id}, nothing)

    # ---- files

    def read(self, path: Path, offset: int | None, length: int | None, most: int | None) -> Call[bytes]:
        data = _Collected("data")
        return self._call("file.read", {"path": path_in(path), "offset": offset, "length": length, "max_bytes": most}, lambda _: data["data"], on_event=data.take)

    def write(self, path: Path, data: str | bytes, mode: int | None, exclusive: bool) -> Call[int]:
        params = {"path": path_in(path), "mode": mode, "exclusive": exclusive}
        return self._call("file.write", params, lambda result: result["bytes"], input=as_bytes(data), into="data", more="file.input")

    def append(self, path: Path, data: str | bytes) -> Call[int]:
        return self._call("file.append", {"path": path_in(path)}, lambda result: result["bytes"], input=as_bytes(data), into="data", more="file.input")

    def stat(self, path: Path, follow: bool) -> Call[Entry]:
        return self._call("file.stat", {"path": path_in(path), "follow": follow}, values.entry)

    def list(self, path: Path, depth: int | None, most: int | None) -> Call[Listing]:
        return self._call("file.list", {"path": path_in(path), "depth": depth, "max_entries": most}, values.listing)

    def glob(self, pattern: str, most: int | None) -> Call[Listing]:
        return self._call("file.glob", {"pattern": pattern, "max_entries": most}, values.listing)

    def grep(self, pattern: str, path: Path | None, plain: bool, only: str | None, most: int | None) -> Call[Matches]:
        params = {"pattern": pattern, "path": None if path is None else path_in(path), "plain": plain, "only": only, "max_matches": most}
        return self._call("file.grep", params, values.matches)

    def page(self, path: Path, start_line: int | None, line_count: int | None, most: int | None) -> Call[Page]:
        params = {"path": path_in(path), "start_line": start_line, "line_count": line_count, "max_bytes": most}
        return self._call("file.page", params, lambda result: values.taken(Page, result))

    def mkdir(self, path: Path, mode: int | None, parents: bool) -> Call[None]:
        return self._call("file.mkdir", {"path": path_in(path), "mode": mode, "parents": parents}, nothing)

    def move(self, source: Path, target: Path, replace: bool) -> Call[None]:
        return self._call("file.move", {"from": path_in(source), "to": path_in(target), "replace": replace}, nothing)

    def copy(self, source: Path, target: Path) -> Call[None]:
        return self._call("file.copy", {"from": path_in(source), "to": path_in(target)}, nothing)

    def remove_file(self, path: Path, recursive: bool) -> Call[None]:
        return self._call("file.remove", {"path": path_in(path), "recursive": recursive}, nothing)

    def watch(self, path: Path, recursive: bool, watching: Callable[[], None], take: Callable[[Change], None]) -> Call[None]:
        def on_event(event: Event) -> None:
            if event["event"] == "watching":
                watching()
            elif event["event"] == "change":
                take(values.change(dict(event)))

        return self._call("file.watch", {"path": path_in(path), "recursive": recursive}, nothing, on_event=on_event)

    def upload(self, path: Path, archive: bytes, most_bytes: int | None, most_entries: int | None) -> Call[Transfer]:
        params = {"path": path_in(path), "max_bytes": most_bytes, "max_entries": most_entries}
        return self._call("file.upload", params, lambda result: values.taken(Transfer, result), input=archive, into="data", more="file.input")

    def download(self, paths: Sequence[Path], zstd: bool) -> Call[bytes]:
        data = _Collected("data")
        params = {"paths": [path_in(path) for path in paths] or None, "zstd": zstd}
        return self._call("file.download", params, lambda _: data["data"], on_event=data.take)

    # ---- what changed: a session's workspace has its name

    def _of_workspace(self, method: str, params: Mapping[str, Any], result: Callable[[Any], R], **more: Any) -> Call[R]:
        return Call(method, {"workspace": self._name, **params}, result, **more)

    def diff(self, form: str, paths: Sequence[str]) -> Call[str]:
        data = _Collected("data")
        params = {"form": form, "paths": [path_in(path) for path in paths] or None}

        def text(result: Any) -> str:
            return json.dumps(result) if form == "json" else data["data"].decode(errors="surrogateescape")

        return self._of_workspace("workspace.diff", params, text, on_event=data.take)

    def apply(self, paths: Sequence[str], allow: Sequence[str], hunks: Sequence[str], check: bool) -> Call[ApplyResult]:
        reports: list[Any] = []

        def on_event(event: Event) -> None:
            reports.append(event.get("report"))

        def in_the_way(error: CofferError) -> ApplyResult:
            if not reports or reports[0] is None:
                raise error
            return values.applied(reports[0], ok=False)

        params = {"paths": [path_in(path) for path in paths] or None, "allow": [path_in(path) for path in allow] or None, "check": check}
        params["hunks"] = [hunks_in(each) for each in hunks] or None
        return self._of_workspace("workspace.apply", params, lambda result: values.applied(result, ok=True), on_event=on_event, failed=in_the_way)

    # ---- time

    def fork(self, name: str | None, layer: int | None) -> Call[SessionInfo]:
        return self._call("session.fork", {"id": name, "layer": layer}, values.session_info)

    def checkpoint(self, label: str | None) -> Call[int]:
        return self._call("session.checkpoint", {"label": label}, lambda result: int(result["layer"]))

    def checkout(self, layer: int) -> Call[None]:
        return self._call("session.checkout", {"layer": layer}, nothing)

    def log(self) -> Call[list[Layer]]:
        return self._call("session.log", {}, lambda result: [values.taken(Layer, each) for each in result["layers"]])

    # ---- ports

    def ports(self) -> Call[list[Port]]:
        return self._call("port.list", {}, lambda result: [values.taken(Port, each) for each in result["ports"]])

    def wait_port(self, port: int, timeout: float | None) -> Call[Port]:
        return self._call("port.wait", {"port": port, "timeout_ms": milliseconds(timeout)}, lambda result: values.taken(Port, result))


def exec_result(result: dict[str, Any], stdout: bytes, stderr: bytes) -> ExecResult:
    denials = [values.taken(values.Denial, each) for each in result.get("denials") or []]
    return values.taken(ExecResult, result, stdout=stdout, stderr=stderr, denials=denials)


def hunks_in(text: str) -> dict[str, Any]:
    path, _, numbers = text.rpartition(":")
    if not path or not all(number.isdecimal() for number in numbers.split(",")):
        raise UsageError(f"hunks are named as path:1,3, not {text!r}")
    return {"path": path_in(path), "numbers": [int(number) for number in numbers.split(",")]}


def is_timeout(error: CofferError) -> bool:
    return error.errno == errno.ETIMEDOUT
