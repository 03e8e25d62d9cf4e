"""The interface of Anthropic's sandbox runtime, in Python, over coffer's srt."""

from sandbox_runtime.config.schemas import (
    FilesystemConfig,
    NetworkConfig,
    RipgrepConfig,
    SandboxRuntimeConfig,
    ValidationError,
)
from sandbox_runtime.sandbox.decider import FilteredRequest
from sandbox_runtime.sandbox.wrap import SandboxManager
from sandbox_runtime.sandbox.violation_store import SandboxViolationEvent, SandboxViolationStore

__version__ = "0.1.0"
__all__ = [
    "FilesystemConfig",
    "FilteredRequest",
    "NetworkConfig",
    "RipgrepConfig",
    "SandboxManager",
    "SandboxRuntimeConfig",
    "SandboxViolationEvent",
    "SandboxViolationStore",
    "ValidationError",
]
