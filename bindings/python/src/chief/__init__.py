"""chief runs a named set of workers, in Python and in Lua, keeps them running and stops them without losing work.

    import chief

    def ticker(ctx):
        while True:
            ctx.log.info("tick")
            ctx.sleep(1)

    with chief.Chief("my-app") as c:
        c.add_worker("ticker", ticker, restart="on_failure")
        c.add_lua_worker("greeter", "workers.greeter", path="./?.lua")
        c.run_all()
"""

from ._library import library_version
from ._options import Answer, End, Exit, ProcessOptions, RestartOptions, WorkerOptions
from .app import Chief, ChiefOptions, Events, Info, RestartBudget
from .channel import MAILBOX, Channel, ChannelStats, Delivery, Overflow, select
from .context import Context
from .cron import Cron, Zone
from .errors import (
    BadData,
    Busy,
    CallFailed,
    Cancelled,
    Closed,
    Cycle,
    Deadlock,
    Error,
    Exists,
    Forked,
    Full,
    Interrupted,
    Invalid,
    InvalidState,
    NoMemory,
    NoReply,
    NotEnabled,
    NotFound,
    NotInitialized,
    NotSupported,
    SystemFailure,
    Timeout,
    TooBig,
    WorkerFailed,
    WouldBlock,
    WrongStateChange,
)
from .event import Event, EventKind
from .hosted import Hosted
from .log import Level, Log, Record
from .message import Message
from .pool import Pool
from .rule import Rule
from .simulation import Simulation
from .state import Phase, Reason, Snapshot, State, Status, state_name
from .worker import WorkerContext

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "BadData",
    "Busy",
    "CallFailed",
    "Cancelled",
    "Channel",
    "ChannelStats",
    "ChiefOptions",
    "Chief",
    "Closed",
    "Context",
    "Cron",
    "Cycle",
    "Deadlock",
    "Delivery",
    "End",
    "Error",
    "Event",
    "EventKind",
    "Events",
    "Exists",
    "Exit",
    "Forked",
    "Full",
    "Hosted",
    "Info",
    "Interrupted",
    "Invalid",
    "InvalidState",
    "Level",
    "Log",
    "MAILBOX",
    "Message",
    "NoMemory",
    "NoReply",
    "NotEnabled",
    "NotFound",
    "NotInitialized",
    "NotSupported",
    "Overflow",
    "Phase",
    "Pool",
    "ProcessOptions",
    "Reason",
    "Record",
    "RestartBudget",
    "RestartOptions",
    "Rule",
    "Simulation",
    "Snapshot",
    "State",
    "Status",
    "SystemFailure",
    "Timeout",
    "TooBig",
    "WorkerContext",
    "WorkerFailed",
    "WorkerOptions",
    "WouldBlock",
    "WrongStateChange",
    "Zone",
    "library_version",
    "select",
    "state_name",
]
