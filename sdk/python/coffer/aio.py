"""The same sessions for asyncio: every method of coffer.Session, awaited. A task that is cancelled calls off what it waits for, and ends when nothing of that runs any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeVar

from coffer import calls
from coffer.calls import OUTPUT_MAX, Argv, Call, Calls, Env
from coffer.channel import Channel, shared_channel
from coffer.errors import CofferError
from coffer.values import ApplyResult, Change, Entry, ExecResult, Layer, Listing, Matches, Output, Page, Path, Port, ProcessInfo, ProcessLogs, SessionInfo, Transfer

R = TypeVar("R")
Item = TypeVar("Item")


async def carry_out(channel: Channel, call: Call[R]) -> R:
    steps = call.steps(channel)
    try:
        future = next(steps)
        while True:
            try:
                value = await asyncio.shield(asyncio.wrap_future(future))
            except CofferError as error:
                future = steps.throw(error)
            else:
                future = steps.send(value)
    except StopIteration as end:
        result: R = end.value
        return result
    except asyncio.CancelledError:
        steps.close()
        ending = call.cancel(channel)
        if ending is not None:
            await asyncio.wait([asyncio.wrap_future(ending)])
        raise


class _Stream(Generic[Item, R]):
    """What comes of a call, as it comes. Leaving it (`async with`, aclose) calls it off."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._items: asyncio.Queue[Item | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._call: Call[R]

    def _soon(self, do: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(do)

    def _put(self, item: Item | None) -> None:
        self._soon(lambda: self._items.put_nowait(item))

    async def _begin(self, call: Call[R]) -> None:
        self._call = call
        steps = call.steps(self._channel)
        await asyncio.wrap_future(next(steps))
        steps.send(None)
        assert call.request
        call.request.done.add_done_callback(lambda _: self._put(None))

    async def __aiter__(self) -> AsyncIterator[Item]:
        while (item := await self._items.get()) is not None:
            yield item
        self._items.put_nowait(None)
        await self.result()

    async def result(self) -> R:
        assert self._call.request
        return self._call.result(await asyncio.shield(asyncio.wrap_future(self._call.request.done)))

    def cancel(self) -> None:
        self._call.cancel(self._channel)

    async def aclose(self) -> None:
        ending = self._call.cancel(self._channel)
        if ending is not None:
            await asyncio.wait([asyncio.wrap_future(ending)])

    async def __aenter__(self):  # type: ignore[no-untyped-def]  # Self is of 3.11
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class ExecStream(_Stream[Output, ExecResult]):
    """As coffer.ExecStream."""

    async def _say(self, method: str, **params: Any) -> None:
        assert self._call.request
        await carry_out(self._channel, Call(method, {"id": self._call.request.id, **params}, calls.nothing))

    async def write(self, data: str | bytes) -> None:
        for piece in self._channel.pieces(calls.as_bytes(data)):
            await self._say("exec.input", data=piece)

    async def close_input(self) -> None:
        await self._say("exec.input", end=True)

    async def signal(self, name: Literal["INT", "TERM", "HUP", "QUIT", "USR1", "USR2"]) -> None:
        await self._say("exec.signal", signal=name)

    async def resize(self, rows: int, cols: int) -> None:
        await self._say("exec.resize", rows=rows, cols=cols)


class Watch(_Stream[Change, None]):
    """As coffer.Watch."""

    async def __aiter__(self) -> AsyncIterator[Change]:
        try:
            async for change in super().__aiter__():
                yield change
        except CofferError as error:
            if not error.cancelled:
                raise


class _Part:
    def __init__(self, channel: Channel, of: Calls) -> None:
        self._channel, self._calls = channel, of

    async def _do(self, call: Call[R]) -> R:
        return await carry_out(self._channel, call)


class Files(_Part):
    """As coffer.session.Files."""

    async def read(self, path: Path, *, offset: int | None = None, length: int | None = None, max_bytes: int | None = None) -> bytes:
        return await self._do(self._calls.read(path, offset, length, max_bytes))

    async def read_text(self, path: Path, *, max_bytes: int | None = None) -> str:
        return (await self.read(path, max_bytes=max_bytes)).decode()

    async def write(self, path: Path, data: str | bytes, *, mode: int | None = None, exclusive: bool = False) -> int:
        return await self._do(self._calls.write(path, data, mode, exclusive))

    async def append(self, path: Path, data: str | bytes) -> int:
        return await self._do(self._calls.append(path, data))

    async def stat(self, path: Path, *, follow: bool = True) -> Entry:
        return await self._do(self._calls.stat(path, follow))

    async def list(self, path: Path = "", *, depth: int | None = None, max_entries: int | None = None) -> Listing:
        return await self._do(self._calls.list(path, depth, max_entries))

    async def glob(self, pattern: str, *, max_entries: int | None = None) -> Listing:
        return await self._do(self._calls.glob(pattern, max_entries))

    async def grep(self, pattern: str, path: Path | None = None, *, plain: bool = False, only: str | None = None, max_matches: int | None = None) -> Matches:
        return await self._do(self._calls.grep(pattern, path, plain, only, max_matches))

    async def page(self, path: Path, *, start_line: int | None = None, line_count: int | None = None, max_bytes: int | None = None) -> Page:
        return await self._do(self._calls.page(path, start_line, line_count, max_bytes))

    async def mkdir(self, path: Path, *, mode: int | None = None, parents: bool = True) -> None:
        await self._do(self._calls.mkdir(path, mode, parents))

    async def move(self, source: Path, target: Path, *, replace: bool = True) -> None:
        await self._do(self._calls.move(source, target, replace))

    async def copy(self, source: Path, target: Path) -> None:
        await self._do(self._calls.copy(source, target))

    async def remove(self, path: Path, *, recursive: bool = False) -> None:
        await self._do(self._calls.remove_file(path, recursive))

    async def watch(self, path: Path = "", *, recursive: bool = True) -> Watch:
        watch = Watch(self._channel)
        ready = asyncio.Event()
        await watch._begin(self._calls.watch(path, recursive, lambda: watch._soon(ready.set), watch._put))
        request = watch._call.request
        assert request
        request.done.add_done_callback(lambda _: watch._soon(ready.set))
        await ready.wait()
        if request.done.done():
            await watch.result()
        return watch

    async def upload(self, archive: bytes, path: Path = "", *, max_bytes: int | None = None, max_entries: int | None = None) -> Transfer:
        return await self._do(self._calls.upload(path, archive, max_bytes, max_entries))

    async def download(self, *paths: Path, zstd: bool = False) -> bytes:
        return await self._do(self._calls.download(paths, zstd))


class Processes(_Part):
    """As coffer.session.Processes."""

    async def start(
        self, argv: Argv, *, cwd: str | None = None, env: Env | None = None, input: str | bytes | None = None, log_bytes: int | None = None, timeout: float | None = None
    ) -> ProcessInfo:
        return await self._do(self._calls.start(argv, cwd, env, input, log_bytes, timeout))

    async def list(self) -> list[ProcessInfo]:
        return await self._do(self._calls.processes())

    async def info(self, id: str) -> ProcessInfo:
        return await self._do(self._calls.process(id))

    async def wait(self, id: str, timeout: float | None = None) -> ProcessInfo:
        return await self._do(self._calls.wait_process(id, timeout))

    async def logs(self, id: str, *, tail_bytes: int | None = None) -> ProcessLogs:
        return await self._do(self._calls.process_logs(id, tail_bytes))

    async def stop(self, id: str, *, grace: float | None = None) -> ProcessInfo:
        return await self._do(self._calls.stop_process(id, grace))

    async def forget(self, id: str) -> None:
        await self._do(self._calls.forget_process(id))


class Ports(_Part):
    async def list(self) -> list[Port]:
        return await self._do(self._calls.ports())

    async def wait(self, port: int, timeout: float | None = None) -> Port:
        return await self._do(self._calls.wait_port(port, timeout))


async def _shared(channel: Channel | None) -> Channel:
    return channel or await asyncio.to_thread(shared_channel)


class Session(_Part):
    """As coffer.Session: `async with await Session.create() as session:`."""

    def __init__(self, channel: Channel, info: SessionInfo) -> None:
        super().__init__(channel, Calls(info.id))
        self.id, self.workdir = info.id, info.workdir
        self.files = Files(channel, self._calls)
        self.processes = Processes(channel, self._calls)
        self.ports = Ports(channel, self._calls)

    @classmethod
    async def create(
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
        channel = await _shared(channel)
        call = calls.create(
            name, policy=policy, directory=directory, copy=copy, workspace=workspace, labels=labels, metadata=metadata, env=env, ttl=ttl, idle=idle, ports=ports
        )
        return cls(channel, await carry_out(channel, call))

    @classmethod
    async def open(cls, name: str, *, channel: Channel | None = None) -> Session:
        channel = await _shared(channel)
        return cls(channel, await carry_out(channel, calls.open(name)))

    async def __aenter__(self) -> Session:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.remove()

    async def info(self) -> SessionInfo:
        return await self._do(self._calls.info())

    async def pause(self) -> None:
        await self._do(self._calls.pause())

    async def resume(self) -> None:
        await self._do(self._calls.resume())

    async def fork(self, name: str | None = None, *, layer: int | None = None) -> SessionInfo:
        """Another session with these settings and files, not the processes; of a layer: with the files as they were."""
        return await self._do(self._calls.fork(name, layer))

    async def checkpoint(self, label: str | None = None) -> int:
        """Keeps the files as they are now; the layer's number."""
        return await self._do(self._calls.checkpoint(label))

    async def checkout(self, layer: int) -> None:
        """Goes back; the session's processes are killed. 0 is the beginning."""
        await self._do(self._calls.checkout(layer))

    async def log(self) -> list[Layer]:
        return await self._do(self._calls.log())

    async def remove(self, *, workspace: bool = False) -> None:
        try:
            await self._do(self._calls.remove(workspace))
        except CofferError as error:
            if error.code != "notfound":
                raise

    async def exec(
        self,
        argv: Argv,
        *,
        cwd: str | None = None,
        env: Env | None = None,
        timeout: float | None = None,
        input: str | bytes | None = None,
        max_output_bytes: int | None = OUTPUT_MAX,
    ) -> ExecResult:
        return await self._do(self._calls.exec(argv, cwd, env, timeout, input, max_output_bytes))

    async def exec_stream(
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
        stream = ExecStream(self._channel)
        await stream._begin(self._calls.exec_stream(argv, cwd, env, timeout, max_output_bytes, interactive, terminal, stream._put))
        return stream

    async def diff(self, *paths: str, form: Literal["patch", "stat", "names", "json"] = "patch") -> str:
        return await self._do(self._calls.diff(form, paths))

    async def apply(self, *paths: str, allow: Sequence[str] = (), hunks: Sequence[str] = (), check: bool = False) -> ApplyResult:
        return await self._do(self._calls.apply(paths, allow, hunks, check))


async def sessions(*, labels: Mapping[str, str] | None = None, channel: Channel | None = None) -> list[SessionInfo]:
    return await carry_out(await _shared(channel), calls.sessions(labels))
