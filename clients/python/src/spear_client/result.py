"""The record of an execution."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, Mapping, Optional

from .gen import function_pb2 as wire


def name_of(enum: Any, value: int, prefix: str) -> Optional[str]:
    """The name of a number of the wire without its prefix; None for 0 and for one of a newer server."""
    known = enum.DESCRIPTOR.values_by_number.get(value)
    return None if value == 0 or known is None else known.name[len(prefix) :]


def status_name(value: int) -> str:
    return name_of(wire.ExecutionStatus, value, "EXECUTION_STATUS_") or "PENDING"


def time_of(message: Any, field: str) -> Optional[datetime]:
    return getattr(message, field).ToDatetime(tzinfo=timezone.utc) if message.HasField(field) else None


@dataclass(frozen=True)
class ExecutionResult:
    """The record of an execution, as it was when it was read. `status` is such as `COMPLETED`."""

    execution_id: str
    task_id: str
    task_name: str
    task_revision: int
    function_name: str
    status: str
    state: str
    is_completed: bool
    output: bytes
    error_output: bytes
    content_type: str
    output_truncated: bool
    exit_code: Optional[int]
    error_code: Optional[str]
    error_origin: Optional[str]
    error_message: str
    attempt: int
    recoveries: int
    created_at: Optional[datetime]
    started_at: Optional[datetime]
    completed_at: Optional[datetime]
    queue_time: float
    execution_time: float
    invocation_id: str
    metadata: Mapping[str, str]
    labels: Mapping[str, str]
    priority: str
    fairness_key: str
    tenant: str
    trace_id: str

    def text(self) -> str:
        """The output as UTF-8."""
        return self.output.decode("utf-8", "replace")

    def json(self) -> Any:
        """The output as JSON, with 64-bit integers as strings of digits; None where there is none."""
        return json.loads(self.output) if self.output else None


def result_of(message: wire.ExecutionResult) -> ExecutionResult:
    return ExecutionResult(
        execution_id=message.execution_id,
        task_id=message.task_id,
        task_name=message.task_name,
        task_revision=message.task_revision,
        function_name=message.function_name,
        status=status_name(message.status),
        state=message.state,
        is_completed=message.is_completed,
        output=message.output,
        error_output=message.error_output,
        content_type=message.content_type,
        output_truncated=message.output_truncated,
        exit_code=message.exit_code if message.HasField("exit_code") else None,
        error_code=name_of(wire.ErrorCode, message.error_code, "ERROR_CODE_"),
        error_origin=name_of(wire.ErrorOrigin, message.error_origin, "ERROR_ORIGIN_"),
        error_message=message.error_message,
        attempt=message.attempt,
        recoveries=message.recoveries,
        created_at=time_of(message, "created_at"),
        started_at=time_of(message, "started_at"),
        completed_at=time_of(message, "completed_at"),
        queue_time=message.queue_time_ms / 1000,
        execution_time=message.execution_time_ms / 1000,
        invocation_id=message.request_id,
        metadata=dict(message.metadata),
        labels=dict(message.labels),
        priority=name_of(wire.Priority, message.priority, "PRIORITY_") or "NORMAL",
        fairness_key=message.fairness_key,
        tenant=message.tenant,
        trace_id=message.trace_id,
    )
