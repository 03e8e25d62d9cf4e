"""Who answers the filters of wrapped commands: the ask callback about hosts that are on neither list, filterRequest about requests.

srt connects to a socket of ours and says the command's token; from then on it is the filter that asks, in the frames of srt(1)'s proxy. Callbacks run in a thread of their own, with
an event loop of its own: whoever waits for the command may block the caller's. What a callback does not answer, or answers by an exception, is refused.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import json
import os
import secrets
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

FRAME_MAX = 1 << 20
BODY_FRAME_MAX = 48 << 20  # BODY_MAX, coded
BODY_MAX = 32 << 20
REASON_MAX = 500
FAILED = "permission prompt failed"

Ask = Callable[[dict[str, Any]], Any]
FilterRequest = Callable[["FilteredRequest"], Any]


@dataclass(frozen=True)
class FilteredRequest:
    """A request as the filter sees it, before anything of it goes on."""

    method: str
    host: str
    port: int
    path: str
    query: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    host_header: str | None = None
    sni: str | None = None  # where it came in TLS
    _read: Callable[[int], Awaitable[bytes]] | None = field(default=None, repr=False, compare=False)

    @property
    def url(self) -> str:
        return f"{'http' if self.sni is None else 'https'}://{self.host}:{self.port}{self.path}{'?' + self.query if self.query else ''}"

    async def body(self, max_bytes: int = BODY_MAX) -> bytes:
        """The whole body; ValueError when it is longer."""
        if self._read is None:
            return b""
        return await self._read(max_bytes)


@dataclass(frozen=True)
class _Command:
    ask: Ask | None
    filter_request: FilterRequest | None


async def _called(function: Callable[[Any], Any], argument: Any) -> Any:
    answer = function(argument)
    return await answer if inspect.isawaitable(answer) else answer


def _member(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, dict) else getattr(answer, name, None)


def _line(text: Any) -> str | None:
    """A reason as the client is told it: one line, not too long."""
    plain = "".join(c if c >= " " and not "\x7f" <= c <= "\x9f" else " " for c in text)[:REASON_MAX] if isinstance(text, str) else ""
    return plain.strip() or None


def _deny(reason: str | None, status: Any = 403) -> dict[str, Any]:
    good = isinstance(status, int) and not isinstance(status, bool) and 400 <= status <= 599
    return {"action": "deny", "status": status if good else 403, **({"reason": reason} if reason else {})}


def host_verdict(answer: Any) -> dict[str, Any]:
    """True, or what says so with `allow`; all else is no."""
    allowed = answer if isinstance(answer, bool) else _member(answer, "allow")
    return {"action": "allow"} if allowed is True else _deny(_line(_member(answer, "reason")))


def request_verdict(answer: Any) -> dict[str, Any]:
    if _member(answer, "action") != "allow":
        return _deny(_line(_member(answer, "reason")), _member(answer, "status") or 403)
    verdict: dict[str, Any] = {"action": "allow"}
    headers, removed = _member(answer, "setHeaders"), _member(answer, "removeHeaders")
    if headers:
        verdict["setHeaders"] = {name.lower(): [value] if isinstance(value, str) else list(value) for name, value in headers.items()}
    if removed:
        verdict["removeHeaders"] = sorted({name.lower() for name in removed})
    return verdict


class _Link:
    """One filter's stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._bodies: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def read(self) -> dict[str, Any]:
        (n,) = struct.unpack(">I", await self._reader.readexactly(4))
        if n > BODY_FRAME_MAX:
            raise ValueError("a frame is too long")
        frame = json.loads(await self._reader.readexactly(n))
        if not isinstance(frame, dict):
            raise ValueError("a frame is no object")
        return frame

    async def send(self, frame: dict[str, Any]) -> None:
        data = json.dumps(frame).encode()
        self._writer.write(struct.pack(">I", len(data)) + data)
        await self._writer.drain()

    async def _body(self, id: int, most: int) -> bytes:
        if id not in self._bodies:
            self._bodies[id] = asyncio.get_running_loop().create_future()
            await self.send({"t": "verdict", "id": id, "action": "need_body", "max": max(1, min(most, BODY_MAX))})
        frame = await asyncio.shield(self._bodies[id])
        if frame.get("cut"):
            raise ValueError(f"the body is longer than {most} bytes")
        return base64.b64decode(frame["data"])

    async def _decide_host(self, command: _Command, frame: dict[str, Any]) -> dict[str, Any]:
        if command.ask is None:
            return _deny(FAILED)
        return host_verdict(await _called(command.ask, {"host": frame["host"], "port": frame["port"]}))

    async def _decide_request(self, command: _Command, frame: dict[str, Any]) -> dict[str, Any]:
        if command.filter_request is None:
            return _deny(None)
        id = frame["id"]
        request = FilteredRequest(
            frame["method"],
            frame["host"],
            frame["port"],
            frame["path"],
            frame.get("query", ""),
            frame.get("headers", {}),
            frame.get("hostHeader"),
            frame.get("sni"),
            lambda most: self._body(id, most),
        )
        return request_verdict(await _called(command.filter_request, request))

    async def _answer(self, command: _Command, frame: dict[str, Any]) -> None:
        decide = self._decide_host if frame["t"] == "ask" else self._decide_request
        try:
            verdict = await decide(command, frame)
        except Exception:  # whatever a callback of somebody else's raises: it has not allowed it
            verdict = _deny(FAILED if frame["t"] == "ask" else None)
        with contextlib.suppress(ConnectionError):
            await self.send({"t": "verdict", "id": frame["id"], **verdict})
        self._bodies.pop(frame["id"], None)

    async def serve(self, command: _Command) -> None:
        await self.read()  # its hello
        await self.send({"t": "hello", "proto": 1, "allowedDomains": [], "deniedDomains": []})
        try:
            while True:
                frame = await self.read()
                if frame["t"] in ("ask", "req"):
                    task = asyncio.create_task(self._answer(command, frame))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                elif frame["t"] == "body" and frame["id"] in self._bodies:
                    self._bodies[frame["id"]].set_result(frame)
        finally:
            for task in self._tasks:
                task.cancel()


class Decider:
    """Listens in a directory that only this user may enter."""

    def __init__(self, folder: str) -> None:
        self._path = os.path.join(folder, "decider")
        self._commands: dict[str, _Command] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="sandbox-decider", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(reader, writer)
        try:
            token = (await asyncio.wait_for(link.read(), 10)).get("token")
            command = self._commands.get(token) if isinstance(token, str) else None
            if command:
                await link.serve(command)
        except (OSError, EOFError, ValueError, KeyError, TypeError, asyncio.TimeoutError):
            pass  # whoever that was, it has nothing to ask any more
        finally:
            writer.close()

    def variable(self, ask: Ask | None, filter_request: FilterRequest | None) -> str:
        """What srt has to know, for one command."""
        token = secrets.token_hex(16)
        self._commands[token] = _Command(ask, filter_request)
        about = "both" if ask and filter_request else "hosts" if ask else "requests"
        return f"COFFER_SRT_DECIDER={about}:{token}:{self._path}"

    def close(self) -> None:
        def stop() -> None:
            self._server.close()
            self._loop.stop()

        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(stop)
        self._thread.join(5)
