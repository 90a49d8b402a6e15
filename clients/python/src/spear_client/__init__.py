"""Run functions on a Spear node, and hold on to them while connections come and go."""

from .client import Execution, Spear
from .connection import connect
from .errors import ExecutionFailed, FieldViolation, SpearError
from .events import ChunkEvent, Event, RefusalEvent, ResultEvent, TransitionEvent
from .result import ExecutionResult
from .tasks import Tasks

__all__ = [
    "ChunkEvent",
    "Event",
    "Execution",
    "ExecutionFailed",
    "ExecutionResult",
    "FieldViolation",
    "RefusalEvent",
    "ResultEvent",
    "Spear",
    "SpearError",
    "Tasks",
    "TransitionEvent",
    "connect",
]
