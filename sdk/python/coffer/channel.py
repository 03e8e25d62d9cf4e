"""The way to the engine: one `coffer channel`, and on it JSON lines (docs/PROTOCOL.md), requests side by side.

A thread reads what the channel says, and settles futures; whoever asks waits for one, with or without an event loop. When the channel ends, what is under way fails.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from coffer.errors import ChannelError, error_of

VERSION = 1
HELLO_SECONDS = 10
END_SECONDS = 5
RESERVED = 16  # of the requests that may run at once, so many are kept for those that say more to others: cancel, input
TOLD_BYTES = 4096  # of what it says on standard error, the last so many are told when it ends

Event = Mapping[str, Any]
OnEvent = Callable[[Event], None]


def find_coffer() -> str:
    """The program that COFFER names, or coffer in PATH."""
    named = os.environ.get("COFFER")
    found = shutil.which(named or "coffer")
    if found:
        return found
    raise ChannelError(f"COFFER names {named}, which is no program" if named else "coffer is not in PATH: install it, or name it in COFFER")


class Request:
    """One that is under way: done is settled with its result, or its error."""

    def __init__(self, id: int, on_event: OnEvent | None) -> None:
        self.id = id
        self.on_event = on_event
        self.done: Future[Any] = Future()
        self.done.set_running_or_notify_cancel()  # whoever waits for it may go away, it may not


class Channel:
    """A process of `coffer channel`. Any thread may ask it anything."""

    def __init__(self, program: str | None = None) -> None:
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pending: dict[int, Request] = {}
        self._taken = 0  # turns
        self._queue: deque[Future[None]] = deque()
        self._last = 0
        self._why: str | None = None  # it has ended
        self._said = tempfile.TemporaryFile()  # noqa: SIM115
        self.limits: dict[str, int] = {}
        self.methods: list[str] = []
        self.coffer = ""
        self._hello: Future[None] = Future()
        argv = [program or find_coffer(), "channel"]
        try:
            self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said)
        except OSError as error:
            self._said.close()
            raise ChannelError(f"{argv[0]} cannot be started: {error.strerror}", errno=error.errno or 0) from error
        self._reader = threading.Thread(target=self._read, name="coffer-channel", daemon=True)
        self._reader.start()
        try:
            self._hello.result(HELLO_SECONDS)
        except FutureTimeout:
            self._end(f"said nothing for {HELLO_SECONDS} seconds")
            raise self._ended() from None

    # ---- what comes in

    def _read(self) -> None:
        assert self._process.stdout
        why = "ended"
        try:
            with self._process.stdout as stream:
                for line in stream:
                    self._take(json.loads(line))
        except (ValueError, KeyError) as error:
            why = f"speaks something else than the protocol ({error})"
        except OSError as error:
            why = f"cannot be read: {error.strerror}"
        self._end(why)

    def _take(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            self._greet(message)
            return
        with self._lock:
            request = self._pending.get(message["id"])
            if request and "event" not in message:
                del self._pending[message["id"]]
        if request is None:
            return
        if "event" in message:
            if request.on_event:
                request.on_event(message)
            return
        if "error" in message:
            request.done.set_exception(error_of(message["error"]))
        else:
            request.done.set_result(message["result"])

    def _greet(self, message: dict[str, Any]) -> None:
        if message.get("event") != "hello" or self._hello.done():
            return
        if message.get("protocol") != "coffer-channel" or message.get("version") != VERSION:
            raise ValueError(f"it is {message.get('protocol')} {message.get('version')}, and this package speaks coffer-channel {VERSION}")
        self.limits, self.methods, self.coffer = message["limits"], message["methods"], message["coffer"]
        self._hello.set_result(None)

    # ---- its end

    def _ended(self) -> ChannelError:
        return ChannelError(f"coffer's channel {self._why}. What was under way in it has failed.")

    def _last_words(self) -> str:
        self._said.seek(max(0, os.fstat(self._said.fileno()).st_size - TOLD_BYTES))
        said = self._said.read().decode(errors="replace").strip()
        return f": {said}" if said else ""

    def _end(self, why: str) -> None:
        with self._lock:
            if self._why is not None:
                return
            self._why = why
            pending, self._pending = list(self._pending.values()), {}
            queue, self._queue = list(self._queue), deque()
        self._process.kill()
        self._process.wait()
        self._why = why + self._last_words()
        error = self._ended()
        for request in pending:
            request.done.set_exception(error)
        for turn in queue:
            if turn.set_running_or_notify_cancel():
                turn.set_exception(error)
        if not self._hello.done():
            self._hello.set_exception(error)
        with self._writing:
            self._process.stdin.close()  # type: ignore[union-attr]
        self._said.close()

    @property
    def ended(self) -> bool:
        return self._why is not None

    def close(self) -> None:
        """Ends it, and with it what is under way: commands are killed. Sessions stay."""
        assert self._process.stdin
        with self._writing, contextlib.suppress(OSError):
            self._process.stdin.close()
        self._reader.join(END_SECONDS)
        self._end("was closed")
        if self._reader is not threading.current_thread():
            self._reader.join(END_SECONDS)

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- what goes out

    def _write(self, message: Mapping[str, Any]) -> None:
        line = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        assert self._process.stdin
        with self._writing:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._process.stdin.fileno(), rest) :]

    def start(self, method: str, params: Mapping[str, Any], on_event: OnEvent | None = None) -> Request:
        """Sends it at once. on_event is called for each event, by the thread that reads: it must not wait for anything."""
        with self._lock:
            self._last += 1
            request = Request(self._last, on_event)
            if self._why is None:
                self._pending[request.id] = request
        if self._why is not None:
            raise self._ended()
        given = {name: value for name, value in params.items() if value is not None}
        try:
            self._write({"id": request.id, "method": method, "params": given})
        except (OSError, ValueError):
            self._end("does not read any more")
        return request

    def cancel(self, request: Request) -> None:
        with contextlib.suppress(ChannelError):
            self.start("cancel", {"id": request.id})

    def turn(self) -> Future[None]:
        """Settled when one more may run; to be followed by leave()."""
        turn: Future[None] = Future()
        with self._lock:
            free = self._why is not None or self._taken < self.limits["running"] - RESERVED
            self._taken += free
            if not free:
                self._queue.append(turn)
        if free:
            turn.set_result(None)
        return turn

    def leave(self) -> None:
        """The next one may run."""
        while True:
            with self._lock:
                if not self._queue:
                    self._taken -= 1
                    return
                turn = self._queue.popleft()
            if turn.set_running_or_notify_cancel():
                turn.set_result(None)
                return

    def pieces(self, data: bytes) -> list[str]:
        """Input as it fits into lines, coded."""
        most = min(self.limits["input_bytes"], self.limits["line_bytes"] // 2)
        return [base64.b64encode(data[at : at + most]).decode() for at in range(0, len(data), most)] or [""]


_channels: dict[tuple[int, str], Channel] = {}
_channels_lock = threading.Lock()


def shared_channel() -> Channel:
    """The one that this process has for all who do not bring their own; another one when it has ended."""
    program = find_coffer()
    key = (os.getpid(), program)
    with _channels_lock:
        channel = _channels.get(key)
        if channel is None or channel.ended:
            channel = _channels[key] = Channel(program)
        return channel
