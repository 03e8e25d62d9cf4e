"""Sessions: sandboxes that stay, in which one command after another runs. coffer.aio has the same for asyncio."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from coffer import calls
from coffer.calls import OUTPUT_MAX, Argv, Call, Calls, Env
from coffer.channel import Channel, shared_channel
from coffer.errors import CofferError
from coffer.values import ApplyResult, Change, Entry, ExecResult, Layer, Listing, Matches, Output, Page, Path, Port, ProcessInfo, ProcessLogs, SessionInfo, Transfer

R = TypeVar("R")
Item = TypeVar("Item")


def carry_out(channel: Channel, call: Call[R]) -> R:
    """Whoever is interrupted meanwhile (^C) calls it off, and leaves when nothing of it runs any more."""
    steps = call.steps(channel)
    try:
        future = next(steps)
        while True:
            try:
                value = future.result()
            except CofferError as error:
                future = steps.throw(error)
            else:
                future = steps.send(value)
    except StopIteration as end:
        result: R = end.value
        return result
    except CofferError:
        raise
    except BaseException:
        steps.close()
        ending = call.cancel(channel)
        if ending is not None:
            ending.exception()
        raise


class _Stream(Generic[Item, R]):
    """What comes of a call, as it comes. Leaving it (`with`, close) calls it off."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._call: Call[R]

    def _begin(self, call: Call[R]) -> None:
        self._call = call
        steps = call.steps(self._channel)
        next(steps).result()
        steps.send(None)
        assert call.request
        call.request.done.add_done_callback(lambda _: self._items.put(None))

    def __iter__(self) -> Iterator[Item]:
        while (item := self._items.get()) is not None:
            yield item
        self._items.put(None)
        self.result()

    def result(self) -> R:
        assert self._call.request
        return self._call.result(self._call.request.done.result())

    def cancel(self) -> None:
        self._call.cancel(self._channel)

    def close(self) -> None:
        ending = self._call.cancel(self._channel)
        if ending is not None:
            ending.exception()

    def __enter__(self):  # type: ignore[no-untyped-def]  # Self is of 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ExecStream(_Stream[Output, ExecResult]):
    """A command that runs: iterate for its output, ask for its result() when that has ended."""

    def _say(self, method: str, **params: Any) -> None:
        assert self._call.request
        carry_out(self._channel, Call(method, {"id": self._call.request.id, **params}, calls.nothing))

    def write(self, data: str | bytes) -> None:
        """To its standard input; it has to have been started as interactive. NotFoundError when nobody reads there any more."""
        for piece in self._channel.pieces(calls.as_bytes(data)):
            self._say("exec.input", data=piece)

    def close_input(self) -> None:
        self._say("exec.input", end=True)

    def signal(self, name: Literal["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"]) -> None:
        self._say("exec.signal", signal=name)

    def resize(self, rows: int, cols: int) -> None:
        self._say("exec.resize", rows=rows, cols=cols)


class Watch(_Stream[Change, None]):
    """Changes below a directory, until it is closed or the directory is gone."""

    def __iter__(self) -> Iterator[Change]:
        try:
            yield from super().__iter__()
        except CofferError as error:
            if not error.cancelled:
                raise


class _Part:
    def __init__(self, channel: Channel, of: Calls) -> None:
        self._channel, self._calls = channel, of

    def _do(self, call: Call[R]) -> R:
        return carry_out(self._channel, call)


class Files(_Part):
    """Of the session's workspace. Paths are relative to it, and no link leads out."""

    def read(self, path: Path, *, offset: int | None = None, length: int | None = None, max_bytes: int | None = None) -> bytes:
        return self._do(self._calls.read(path, offset, length, max_bytes))

    def read_text(self, path: Path, *, max_bytes: int | None = None) -> str:
        return self.read(path, max_bytes=max_bytes).decode()

    def write(self, path: Path, data: str | bytes, *, mode: int | None = None, exclusive: bool = False) -> int:
        """The old content or the new, nothing between. exclusive: BusyError if something is there."""
        return self._do(self._calls.write(path, data, mode, exclusive))

    def append(self, path: Path, data: str | bytes) -> int:
        return self._do(self._calls.append(path, data))

    def stat(self, path: Path, *, follow: bool = True) -> Entry:
        return self._do(self._calls.stat(path, follow))

    def list(self, path: Path = "", *, depth: int | None = None, max_entries: int | None = None) -> Listing:
        return self._do(self._calls.list(path, depth, max_entries))

    def glob(self, pattern: str, *, max_entries: int | None = None) -> Listing:
        return self._do(self._calls.glob(pattern, max_entries))

    def grep(self, pattern: str, path: Path | None = None, *, plain: bool = False, only: str | None = None, max_matches: int | None = None) -> Matches:
        """The first match of each line. plain: it is no regular expression; only: a glob that names must match."""
        return self._do(self._calls.grep(pattern, path, plain, only, max_matches))

    def page(self, path: Path, *, start_line: int | None = None, line_count: int | None = None, max_bytes: int | None = None) -> Page:
        return self._do(self._calls.page(path, start_line, line_count, max_bytes))

    def mkdir(self, path: Path, *, mode: int | None = None, parents: bool = True) -> None:
        self._do(self._calls.mkdir(path, mode, parents))

    def move(self, source: Path, target: Path, *, replace: bool = True) -> None:
        self._do(self._calls.move(source, target, replace))

    def copy(self, source: Path, target: Path) -> None:
        self._do(self._calls.copy(source, target))

    def remove(self, path: Path, *, recursive: bool = False) -> None:
        self._do(self._calls.remove_file(path, recursive))

    def watch(self, path: Path = "", *, recursive: bool = True) -> Watch:
        """Returns when nothing is missed any more."""
        ready: queue.SimpleQueue[bool] = queue.SimpleQueue()
        watch = Watch(self._channel)
        call = self._calls.watch(path, recursive, lambda: ready.put(True), watch._items.put)
        watch._begin(call)
        assert call.request
        call.request.done.add_done_callback(lambda _: ready.put(False))
        if not ready.get():
            watch.result()
        return watch

    def upload(self, archive: bytes, path: Path = "", *, max_bytes: int | None = None, max_entries: int | None = None) -> Transfer:
        """A tar or zip, unpacked into a directory."""
        return self._do(self._calls.upload(path, archive, max_bytes, max_entries))

    def download(self, *paths: Path, zstd: bool = False) -> bytes:
        """A tar of these, or of all."""
        return self._do(self._calls.download(paths, zstd))


class Processes(_Part):
    """Commands that nobody waits for, and their logs. They outlive the channel."""

    def start(
        self, argv: Argv, *, cwd: str | None = None, env: Env | None = None, input: str | bytes | None = None, log_bytes: int | None = None, timeout: float | None = None
    ) -> ProcessInfo:
        return self._do(self._calls.start(argv, cwd, env, input, log_bytes, timeout))

    def list(self) -> list[ProcessInfo]:
        return self._do(self._calls.processes())

    def info(self, id: str) -> ProcessInfo:
        return self._do(self._calls.process(id))

    def wait(self, id: str, timeout: float | None = None) -> ProcessInfo:
        return self._do(self._calls.wait_process(id, timeout))

    def logs(self, id: str, *, tail_bytes: int | None = None) -> ProcessLogs:
        return self._do(self._calls.process_logs(id, tail_bytes))

    def stop(self, id: str, *, grace: float | None = None) -> ProcessInfo:
        """SIGTERM, and after so many seconds SIGKILL to all that came of it."""
        return self._do(self._calls.stop_process(id, grace))

    def forget(self, id: str) -> None:
        self._do(self._calls.forget_process(id))


class Ports(_Part):
    def list(self) -> list[Port]:
        return self._do(self._calls.ports())

    def wait(self, port: int, timeout: float | None = None) -> Port:
        """Until a server inside listens on it."""
        return self._do(self._calls.wait_port(port, timeout))


class Session(_Part):
    """`with Session.create() as session:` removes it at the end; without `with` it stays, and Session.open finds it again."""

    def __init__(self, channel: Channel, info: SessionInfo) -> None:
        super().__init__(channel, Calls(info.id))
        self.id, self.workdir = info.id, info.workdir
        self.files = Files(channel, self._calls)
        self.processes = Processes(channel, self._calls)
        self.ports = Ports(channel, self._calls)

    @classmethod
    def create(
        cls,
        name: str | None = None,
        *,
        policy: Mapping[str, Any] | None = None,
        directory: str | None = None,
        copy: bool = False,
        workspace: str | None = None,
        labels: Mapping[str, str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        ttl: float | None = None,
        idle: float | None = None,
        ports: Sequence[int | Mapping[str, int]] | None = None,
        channel: Channel | None = None,
    ) -> Session:
        """
        policy: a settings document. Commands work in a workspace of the session's own; in the one that is called `workspace`, which stays; in `directory`, a
        directory of the host; or, with copy, in a view of that, from which diff() and apply() take what was changed. ttl and idle are seconds.
        """
        channel = channel or shared_channel()
        call = calls.create(
            name, policy=policy, directory=directory, copy=copy, workspace=workspace, labels=labels, metadata=metadata, env=env, ttl=ttl, idle=idle, ports=ports
        )
        return cls(channel, carry_out(channel, call))

    @classmethod
    def open(cls, name: str, *, channel: Channel | None = None) -> Session:
        channel = channel or shared_channel()
        return cls(channel, carry_out(channel, calls.open(name)))

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def info(self) -> SessionInfo:
        return self._do(self._calls.info())

    def pause(self) -> None:
        self._do(self._calls.pause())

    def resume(self) -> None:
        self._do(self._calls.resume())

    def fork(self, name: str | None = None, *, layer: int | None = None) -> SessionInfo:
        """Another session with these settings and files, not the processes; of a layer: with the files as they were."""
        return self._do(self._calls.fork(name, layer))

    def checkpoint(self, label: str | None = None) -> int:
        """Keeps the files as they are now; the layer's number."""
        return self._do(self._calls.checkpoint(label))

    def checkout(self, layer: int) -> None:
        """Goes back; the session's processes are killed. 0 is the beginning."""
        self._do(self._calls.checkout(layer))

    def log(self) -> list[Layer]:
        return self._do(self._calls.log())

    def remove(self, *, workspace: bool = False) -> None:
        """Kills all of it; workspace: a persistent one goes as well. One that has ended by itself is no error."""
        try:
            self._do(self._calls.remove(workspace))
        except CofferError as error:
            if error.code != "notfound":
                raise

    def exec(
        self,
        argv: Argv,
        *,
        cwd: str | None = None,
        env: Env | None = None,
        timeout: float | None = None,
        input: str | bytes | None = None,
        max_output_bytes: int | None = OUTPUT_MAX,
    ) -> ExecResult:
        """Runs a command to its end. A status, a timeout (seconds), a limit are results; what could not be begun for want of a sandbox is an error."""
        return self._do(self._calls.exec(argv, cwd, env, timeout, input, max_output_bytes))

    def exec_stream(
        self,
        argv: Argv,
        *,
        cwd: str | None = None,
        env: Env | None = None,
        timeout: float | None = None,
        interactive: bool = False,
        terminal: tuple[int, int] | None = None,
        max_output_bytes: int | None = None,
    ) -> ExecStream:
        """The same while it runs. interactive: write() gives it input; terminal: rows and columns of one."""
        stream = ExecStream(self._channel)
        stream._begin(self._calls.exec_stream(argv, cwd, env, timeout, max_output_bytes, interactive, terminal, stream._items.put))
        return stream

    def diff(self, *paths: str, form: Literal["patch", "stat", "names", "json"] = "patch") -> str:
        """What was changed, of a session with copy or a workspace of its own."""
        return self._do(self._calls.diff(form, paths))

    def apply(self, *paths: str, allow: Sequence[str] = (), hunks: Sequence[str] = (), check: bool = False) -> ApplyResult:
        """
        Does it to the directory: all of it, or what is below paths, or hunks ("path:1,3"). What would make the host execute something has to be named in allow. Where something
        is in the way nothing is done. check: only says what would be.
        """
        return self._do(self._calls.apply(paths, allow, hunks, check))


def sessions(*, labels: Mapping[str, str] | None = None, channel: Channel | None = None) -> list[SessionInfo]:
    """All of this user's, or those that have all of these labels."""
    return carry_out(channel or shared_channel(), calls.sessions(labels))
