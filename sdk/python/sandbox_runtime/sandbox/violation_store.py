"""What was refused: the last hundred, and how many there were."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

KEY_LENGTH = 100
MAX_SIZE = 100

# What would make a line show something else than it says, and the brackets that would end <sandbox_violations> early.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]+")

Listener = Callable[[list["SandboxViolationEvent"]], None]


def encode_command(command: str) -> str:
    """The key of a command: as much of it as counts."""
    return base64.b64encode(command[:KEY_LENGTH].encode("utf-8", "surrogatepass")).decode("ascii")


def clean(text: str) -> str:
    return re.sub("[<>]", "", _UNSAFE.sub(" ", text)).strip()


@dataclass(frozen=True)
class SandboxViolationEvent:
    line: str
    command: str | None = None
    encoded_command: str | None = None
    timestamp: datetime = field(default_factory=lambda: datetime.now(timezone.utc))


class SandboxViolationStore:
    def __init__(self) -> None:
        self._violations: list[SandboxViolationEvent] = []
        self._total = 0
        self._listeners: list[Listener] = []

    def add_violation(self, violation: SandboxViolationEvent) -> None:
        self._violations = [*self._violations, replace(violation, line=clean(violation.line))][-MAX_SIZE:]
        self._total += 1
        self._tell()

    def get_violations(self, limit: int | None = None) -> list[SandboxViolationEvent]:
        return list(self._violations) if limit is None else self._violations[len(self._violations) - limit if limit < len(self._violations) else 0 :]

    def get_count(self) -> int:
        return len(self._violations)

    def get_total_count(self) -> int:
        return self._total

    def get_violations_for_command(self, command: str) -> list[SandboxViolationEvent]:
        key = encode_command(command)
        return [violation for violation in self._violations if violation.encoded_command == key]

    def clear(self) -> None:
        """Forgets them; the total goes on."""
        self._violations = []
        self._tell()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls the listener now and at each change. Returns what ends that."""
        self._listeners.append(listener)
        listener(self.get_violations())
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def _tell(self) -> None:
        for listener in list(self._listeners):
            listener(self.get_violations())


def should_ignore(line: str, command: str, ignored: dict[str, list[str]] | None) -> bool:
    """ignoreViolations: parts of lines, by a part of the command or "*"."""
    return any(
        (pattern == "*" or pattern in command) and any(part in line for part in parts) for pattern, parts in (ignored or {}).items()
    )
