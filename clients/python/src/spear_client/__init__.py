"""Run functions on a Spear node, and hold on to them while connections come and go."""

from .aliases import Aliases
from .batches import Batch, Batches
from .client import Execution, Spear
from .connection import connect
from .errors import ExecutionFailed, FieldViolation, SpearError
from .events import ChunkEvent, Event, RefusalEvent, ResultEvent, TransitionEvent
from .result import ExecutionResult
from .schedules import Schedules
from .tasks import Tasks

__all__ = [
    "Aliases",
    "Batch",
    "Batches",
    "ChunkEvent",
    "Event",
    "Execution",
    "ExecutionFailed",
    "ExecutionResult",
    "FieldViolation",
    "RefusalEvent",
    "ResultEvent",
    "Schedules",
    "Spear",
    "SpearError",
    "Tasks",
    "TransitionEvent",
    "connect",
]
