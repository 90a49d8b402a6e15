"""The events of an execution's log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Optional

from .gen import function_pb2 as wire
from .result import ExecutionResult, result_of, status_name, time_of


@dataclass(frozen=True)
class Event:
    """One event; `sequence` counts 1, 2, 3 … without gap or repeat. One of a newer kind is of this class alone."""

    execution_id: str
    sequence: int
    time: Optional[datetime]
    status: str
    attempt: int
    principal: str


@dataclass(frozen=True)
class TransitionEvent(Event):
    """A change of state; `from_state` is empty for the admission."""

    from_state: str
    to_state: str
    event_type: str
    reason_code: str


@dataclass(frozen=True)
class ChunkEvent(Event):
    """What the function wrote to `stdout` or `stderr`."""

    stream: str
    data: bytes


@dataclass(frozen=True)
class RefusalEvent(Event):
    """The function wanted to go where its task's network list does not let it."""

    host: str
    port: int
    address: str
    rule: str


@dataclass(frozen=True)
class ResultEvent(Event):
    """The last one."""

    result: ExecutionResult


def event_of(message: wire.StreamExecutionResult) -> Event:
    head = (
        message.execution_id,
        message.sequence,
        time_of(message, "time"),
        status_name(message.status),
        message.attempt,
        message.principal,
    )
    kind = message.WhichOneof("event")
    if kind == "transition":
        change = message.transition
        return TransitionEvent(*head, getattr(change, "from"), change.to, change.event_type, change.reason_code)
    if kind == "chunk":
        stream = "stderr" if message.chunk.stream == wire.OUTPUT_STREAM_STDERR else "stdout"
        return ChunkEvent(*head, stream, message.chunk.data)
    if kind == "refusal":
        refusal = message.refusal
        return RefusalEvent(*head, refusal.host, refusal.port, refusal.address, refusal.rule)
    if kind == "result":
        return ResultEvent(*head, result_of(message.result))
    return Event(*head)
