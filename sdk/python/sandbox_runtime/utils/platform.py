"""Which system this is."""

import sys
from typing import Literal

Platform = Literal["macos", "linux", "windows", "unknown"]


def get_platform() -> Platform:
    if sys.platform.startswith("linux"):
        return "linux"
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, "unknown")  # type: ignore[return-value]
