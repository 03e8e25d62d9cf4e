"""What goes wrong: one class for each code of the protocol. What a command did is never one of these."""

from __future__ import annotations

from typing import Any


class CofferError(Exception):
    """code, errno (positive, or 0) and where as docs/PROTOCOL.md has them; cancelled: somebody called it off."""

    code = "internal"

    def __init__(self, text: str, *, errno: int = 0, where: str = "", cancelled: bool = False) -> None:
        super().__init__(text)
        self.errno, self.where, self.cancelled = errno, where, cancelled


class UsageError(CofferError):
    code = "usage"


class PolicyError(CofferError):
    code = "policy"


class UnsupportedError(CofferError):
    code = "unsupported"


class NotFoundError(CofferError):
    code = "notfound"


class DeniedError(CofferError):
    code = "denied"


class BusyError(CofferError):
    code = "busy"


class LimitError(CofferError):
    """errno is ETIMEDOUT where time was up, EFBIG where a file is too large."""

    code = "limit"


class SetupError(CofferError):
    code = "setup"


class InternalError(CofferError):
    code = "internal"


class ChannelError(CofferError):
    """There is no channel: coffer is not there, has ended, or speaks something else."""

    code = "channel"


_CLASSES = {cls.code: cls for cls in (UsageError, PolicyError, UnsupportedError, NotFoundError, DeniedError, BusyError, LimitError, SetupError, InternalError)}


def error_of(error: dict[str, Any]) -> CofferError:
    made = _CLASSES.get(error["code"], CofferError)(
        error["text"], errno=error.get("errno", 0), where=error.get("where", ""), cancelled=error.get("cancelled", False)
    )
    return made
