"""The manager, by the name that the original has it under."""

from sandbox_runtime.sandbox.wrap import SandboxManager

__all__ = ["SandboxManager"]
