"""coffer: sessions in sandboxes, by `coffer channel`."""

from coffer.channel import Channel, find_coffer, shared_channel
from coffer.errors import (
    BusyError,
    ChannelError,
    CofferError,
    DeniedError,
    InternalError,
    LimitError,
    NotFoundError,
    PolicyError,
    SetupError,
    UnsupportedError,
    UsageError,
)
from coffer.session import ExecStream, Session, Watch, sessions
from coffer.values import (
    ApplyResult,
    Change,
    Denial,
    Entry,
    ExecResult,
    Finding,
    Layer,
    Listing,
    Match,
    Matches,
    Output,
    Page,
    Port,
    ProcessInfo,
    ProcessLogs,
    SessionInfo,
    Transfer,
)

__version__ = "0.1.0"
__all__ = [name for name in dir() if name[0].isupper()] + ["find_coffer", "sessions", "shared_channel"]
