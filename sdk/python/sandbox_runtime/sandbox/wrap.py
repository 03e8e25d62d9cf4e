"""The manager: one configuration a process, commands wrapped for a shell.

Each wrapped command is a whole `srt` of its own, with its settings on its command line. Nothing runs between the commands, so there is nothing to wait
for and nothing that two of them share, but for a directory in which they tell what was refused, which reset() removes.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox_runtime.config.schemas import SandboxRuntimeConfig, validate
from sandbox_runtime.sandbox.decider import Decider, FilterRequest
from sandbox_runtime.sandbox.violation_store import SandboxViolationEvent, SandboxViolationStore, clean, encode_command, should_ignore
from sandbox_runtime.utils.binary import SrtNotFoundError, find_srt
from sandbox_runtime.utils.platform import get_platform

SandboxAskCallback = Callable[[dict[str, Any]], "Awaitable[bool | dict[str, Any]] | bool | dict[str, Any]"]


@dataclass(frozen=True)
class FsReadRestrictionConfig:
    deny_only: list[Any]
    allow_within_deny: list[Any]


@dataclass(frozen=True)
class FsWriteRestrictionConfig:
    allow_only: list[Any]
    deny_within_allow: list[Any]


@dataclass(frozen=True)
class NetworkRestrictionConfig:
    allowed_hosts: list[str]
    denied_hosts: list[str]


# Writable without being asked for, as srt has it.
DEFAULT_WRITE_PATHS = ["/dev/stdout", "/dev/stderr", "/dev/null", "/dev/tty", "/tmp/claude", "~/.npm/_logs", "~/.claude/debug"]


ARGUMENT_MAX = 100_000  # of the 128 KiB that the kernel takes, quotes included


def _document(config: SandboxRuntimeConfig | dict[str, Any] | None) -> dict[str, Any]:
    if config is None:
        return {}
    return config if isinstance(config, dict) else config.to_json()


def _laid_over(base: dict[str, Any], custom: dict[str, Any]) -> dict[str, Any]:
    """The parts that are given replace those of the base, network and filesystem key by key."""
    merged = {**base, **custom}
    for section in ("network", "filesystem"):
        if isinstance(base.get(section), dict) and isinstance(custom.get(section), dict):
            merged[section] = {**base[section], **custom[section]}
    merged.setdefault("network", {})
    merged.setdefault("filesystem", {})
    for section, keys in (("network", ("allowedDomains", "deniedDomains")), ("filesystem", ("denyRead", "allowWrite", "denyWrite"))):
        if isinstance(merged[section], dict):
            merged[section] = {**{key: [] for key in keys}, **merged[section]}
    return merged


def _plainly(document: dict[str, Any]) -> tuple[dict[str, Any], FilterRequest | None]:
    """The document as srt can read it, and the function in it."""
    network = document.get("network") if isinstance(document, dict) else None
    if not isinstance(network, dict) or not callable(network.get("filterRequest")):
        return document, None
    return {**document, "network": {key: value for key, value in network.items() if key != "filterRequest"}}, network["filterRequest"]


def _line(denial: dict[str, Any]) -> str:
    if denial["operation"] == "connect":
        return f"deny network-outbound {denial['target']} ({denial['rule']})"
    return f"deny {denial['operation']} {denial['target']}"


class SandboxManager:
    """Class methods; there is one state a process, as in the original."""

    _config: dict[str, Any] | None = None
    _ask: SandboxAskCallback | None = None
    _folder: str | None = None
    _decider: Decider | None = None
    _store = SandboxViolationStore()
    _outcomes: dict[str, list[str]] = {}  # the command's key → files in which srt tells what was refused
    _commands: dict[str, str] = {}
    _read: dict[str, int] = {}

    # ---- lifecycle

    @classmethod
    async def initialize(
        cls, runtime_config: SandboxRuntimeConfig | dict[str, Any], sandbox_ask_callback: SandboxAskCallback | None = None, enable_log_monitor: bool = False
    ) -> None:
        """
        Takes the configuration. Raises ValidationError, or RuntimeError where no sandbox can be had. The callback is asked about each connection to a host that is on neither
        list, {"host", "port"}: true allows it, {"allow": False, "reason": …} says why not. It is called in a thread of its own.
        """
        if not cls.check_dependencies():
            raise RuntimeError("Sandbox dependencies are not available on this system. Required: coffer.")
        document = _document(runtime_config)
        await asyncio.to_thread(validate, _plainly(document)[0])
        cls._config, cls._ask = document, sandbox_ask_callback

    @classmethod
    def update_config(cls, new_config: SandboxRuntimeConfig | dict[str, Any]) -> None:
        """For the commands that are wrapped from now on."""
        document = _document(new_config)
        validate(_plainly(document)[0])
        cls._config = document

    @classmethod
    async def reset(cls) -> None:
        cls._collect()
        cls._drop()

    @classmethod
    def _drop(cls) -> None:
        if cls._decider:
            cls._decider.close()
        if cls._folder:
            shutil.rmtree(cls._folder, ignore_errors=True)
        cls._folder = cls._config = cls._ask = cls._decider = None
        cls._outcomes, cls._commands, cls._read = {}, {}, {}

    @classmethod
    async def wait_for_network_initialization(cls) -> bool:
        return cls._config is not None

    @classmethod
    def is_supported_platform(cls, platform: str | None = None) -> bool:
        return (platform or get_platform()) == "linux"

    @classmethod
    def is_sandboxing_enabled(cls) -> bool:
        return cls._config is not None

    @classmethod
    def check_dependencies(cls, ripgrep_config: Any = None) -> bool:
        try:
            return cls.is_supported_platform() and os.access(find_srt(), os.X_OK)
        except SrtNotFoundError:
            return False

    # ---- wrapping

    @classmethod
    async def wrap_with_sandbox(
        cls, command: str, bin_shell: str | None = None, custom_config: SandboxRuntimeConfig | dict[str, Any] | None = None, abort_signal: Any = None
    ) -> str:
        """A shell string that runs the command in a sandbox."""
        if cls._config is None and custom_config is None:
            raise RuntimeError("SandboxManager.initialize() has not been called")
        document = _laid_over(cls._config or {}, _document(custom_config))
        document, filter_request = _plainly(document)
        if custom_config is not None:
            await asyncio.to_thread(validate, document)
        settings = json.dumps(document, separators=(",", ":"))
        if max(len(settings), len(command)) > ARGUMENT_MAX:
            raise RuntimeError(f"the settings or the command are longer than {ARGUMENT_MAX} bytes")
        variables = [f"COFFER_SRT_SETTINGS={settings}", "COFFER_SRT_PROFILE=npm", f"COFFER_SRT_OUTCOME={cls._outcome_file(command)}"]
        ask = None if document["network"].get("strictAllowlist") else cls._ask
        if ask or filter_request:
            variables.append(await asyncio.to_thread(cls._decider_variable, ask, filter_request))
        return shlex.join(["env", *variables, find_srt(), "-c", cls._for_shell(command, bin_shell)])

    @classmethod
    def cleanup_after_command(cls) -> None:
        """Nothing is left behind by a command; takes in what it was refused."""
        cls._collect()

    @classmethod
    def _decider_variable(cls, ask: SandboxAskCallback | None, filter_request: FilterRequest | None) -> str:
        if cls._decider is None:
            assert cls._folder
            cls._decider = Decider(cls._folder)
        return cls._decider.variable(ask, filter_request)

    @classmethod
    def _outcome_file(cls, command: str) -> str:
        """Where srt will say what the command was refused. Without the directory it would refuse to run: it is made when it is gone."""
        if cls._folder is None:
            cls._folder = tempfile.mkdtemp(prefix="coffer-srt-")
        key = encode_command(command)
        files = cls._outcomes.setdefault(key, [])
        cls._commands[key] = command
        files.append(os.path.join(cls._folder, f"{len(cls._outcomes)}-{len(files)}"))
        return files[-1]

    @staticmethod
    def _for_shell(command: str, bin_shell: str | None) -> str:
        if bin_shell is None or os.path.basename(bin_shell) == "bash":
            return command
        shell = shutil.which(bin_shell)
        if shell is None:
            raise RuntimeError(f"Shell '{bin_shell}' not found in PATH")
        return "exec " + shlex.join([shell, "-c", command])

    # ---- what was refused

    @classmethod
    def _collect(cls) -> None:
        for key, files in cls._outcomes.items():
            for path in files:
                cls._collect_file(key, path)

    @classmethod
    def _collect_file(cls, key: str, path: str) -> None:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                file.seek(cls._read.get(path, 0))
                text = file.read()
                cls._read[path] = file.tell()
        except OSError:
            return
        command = cls._commands[key]
        for outcome in text.splitlines():
            for denial in json.loads(outcome).get("denials", []):
                line = _line(denial)
                if not should_ignore(line, command, cls.get_ignore_violations()):
                    cls._store.add_violation(SandboxViolationEvent(line=line, command=clean(command), encoded_command=key))

    @classmethod
    def get_sandbox_violation_store(cls) -> SandboxViolationStore:
        cls._collect()
        return cls._store

    @classmethod
    def annotate_stderr_with_sandbox_failures(cls, command: str, stderr: str) -> str:
        """What the command said, and behind it what it was refused."""
        if cls._config is None:
            return stderr
        violations = cls.get_sandbox_violation_store().get_violations_for_command(command)
        if not violations:
            return stderr
        return stderr + "\n<sandbox_violations>\n" + "".join(violation.line + "\n" for violation in violations) + "</sandbox_violations>"

    # ---- what is in force

    @classmethod
    def _list(cls, section: str, key: str) -> list[Any]:
        return list((cls._config or {}).get(section, {}).get(key) or [])

    @classmethod
    def get_config(cls) -> SandboxRuntimeConfig | None:
        return None if cls._config is None else SandboxRuntimeConfig._from_json(cls._config)

    @classmethod
    def get_fs_read_config(cls) -> FsReadRestrictionConfig:
        return FsReadRestrictionConfig(cls._list("filesystem", "denyRead"), cls._list("filesystem", "allowRead"))

    @classmethod
    def get_fs_write_config(cls) -> FsWriteRestrictionConfig:
        return FsWriteRestrictionConfig(
            [os.path.expanduser(path) for path in DEFAULT_WRITE_PATHS] + cls._list("filesystem", "allowWrite"), cls._list("filesystem", "denyWrite")
        )

    @classmethod
    def get_network_restriction_config(cls) -> NetworkRestrictionConfig:
        return NetworkRestrictionConfig(cls._list("network", "allowedDomains"), cls._list("network", "deniedDomains"))

    @classmethod
    def get_allow_unix_sockets(cls) -> list[str] | None:
        return (cls._config or {}).get("network", {}).get("allowUnixSockets")

    @classmethod
    def get_allow_local_binding(cls) -> bool | None:
        return (cls._config or {}).get("network", {}).get("allowLocalBinding")

    @classmethod
    def get_ignore_violations(cls) -> dict[str, list[str]] | None:
        return (cls._config or {}).get("ignoreViolations")

    @classmethod
    def get_enable_weaker_nested_sandbox(cls) -> bool | None:
        return (cls._config or {}).get("enableWeakerNestedSandbox")

    @classmethod
    def get_linux_glob_pattern_warnings(cls) -> list[str]:
        """Patterns that would be skipped: none are."""
        return []

    # The filter is the command's own, inside its network: there is no port on this machine, and no socket.

    @classmethod
    def get_proxy_port(cls) -> int | None:
        return None

    @classmethod
    def get_socks_proxy_port(cls) -> int | None:
        return None

    @classmethod
    def get_linux_http_socket_path(cls) -> str | None:
        return None

    @classmethod
    def get_linux_socks_socket_path(cls) -> str | None:
        return None


atexit.register(SandboxManager._drop)
