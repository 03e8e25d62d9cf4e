"""Settings as objects. What they mean, and whether they are right, is for srt to say: it is asked when one is made of JSON."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from sandbox_runtime.utils.binary import find_srt

T = TypeVar("T", bound="_Section")


class ValidationError(ValueError):
    """Settings that srt does not accept. `issues` has each mistake: (place, what is wrong)."""

    def __init__(self, reason: str, issues: list[tuple[str, str]]) -> None:
        super().__init__(reason)
        self.issues = issues


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


class _Section:
    """A dataclass whose fields are spelled as Python does and written as JSON does. Keys that it does not know are kept."""

    extra: dict[str, Any]

    @classmethod
    def _from_json(cls: type[T], data: Any) -> T:
        if not isinstance(data, dict):
            raise ValidationError(f"{cls.__name__}: expected an object", [("(root)", "expected an object")])
        known = {_camel(f.name): f for f in fields(cls) if f.name != "extra"}  # type: ignore[arg-type]
        inner = {name: _SECTIONS.get(str(f.type)) for name, f in known.items()}
        values = {}
        for key, value in data.items():
            if key in known:
                section = inner[key]
                values[known[key].name] = section._from_json(value) if section and value is not None else copy.deepcopy(value)
        return cls(**values, extra={key: copy.deepcopy(value) for key, value in data.items() if key not in known})

    def to_json(self) -> dict[str, Any]:
        """The settings as a document: what is None is left out."""
        document = copy.deepcopy(self.extra)
        for f in fields(self):  # type: ignore[arg-type]
            value = getattr(self, f.name)
            if f.name != "extra" and value is not None:
                document[_camel(f.name)] = value.to_json() if isinstance(value, _Section) else copy.deepcopy(value)
        return document


@dataclass
class NetworkConfig(_Section):
    allowed_domains: list[str] = field(default_factory=list)
    denied_domains: list[str] = field(default_factory=list)
    allow_unix_sockets: list[str] | None = None
    allow_all_unix_sockets: bool | None = None
    allow_local_binding: bool | None = None
    http_proxy_port: int | None = None
    socks_proxy_port: int | None = None
    filter_request: Any = None  # a function of a FilteredRequest: {"action": "allow"} or {"action": "deny", "status", "reason"}
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class FilesystemConfig(_Section):
    deny_read: list[Any] = field(default_factory=list)
    allow_read: list[Any] | None = None
    allow_write: list[Any] = field(default_factory=list)
    deny_write: list[Any] = field(default_factory=list)
    allow_git_config: bool | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class RipgrepConfig(_Section):
    command: str = "rg"
    args: list[str] | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class SandboxRuntimeConfig(_Section):
    network: NetworkConfig = field(default_factory=NetworkConfig)
    filesystem: FilesystemConfig = field(default_factory=FilesystemConfig)
    ignore_violations: dict[str, list[str]] | None = None
    enable_weaker_nested_sandbox: bool | None = None
    ripgrep: RipgrepConfig | None = None
    mandatory_deny_search_depth: int | None = None
    allow_pty: bool | None = None
    seccomp: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_json(cls, data: dict[str, Any] | str | bytes) -> SandboxRuntimeConfig:
        """Settings from a document, or from its text. Raises ValidationError when srt would not take it."""
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except ValueError as error:
                raise ValidationError(f"not valid JSON: {error}", [("(root)", str(error))]) from error
        validate(data)
        return cls._from_json(data)


_SECTIONS: dict[str, type[_Section]] = {"NetworkConfig": NetworkConfig, "FilesystemConfig": FilesystemConfig, "RipgrepConfig | None": RipgrepConfig}


def default_config() -> SandboxRuntimeConfig:
    """No host, no writes, all reads."""
    return SandboxRuntimeConfig()


def validate(document: Any) -> None:
    """Asks srt. Nothing is run."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="srt-settings-", encoding="utf-8") as file:
        json.dump(document, file)
        file.flush()
        environment = {**os.environ, "COFFER_SRT_PROFILE": "npm"}
        done = subprocess.run([find_srt(), "-s", file.name], capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL)
        said = done.stderr.splitlines()[0].removeprefix("Error: ") if done.stderr else f"srt ended with {done.returncode}"
        if said.startswith("No command specified"):
            return
        said = said.replace(file.name, "the configuration", 1)
    _, mark, issues = said.partition(" does not hold a valid config — ")
    found = [(place, text) for place, _, text in (issue.partition(": ") for issue in re.split(r"; (?=[\w(.$]+: )", issues))] if mark else [("(root)", said)]
    raise ValidationError(said, found)
