"""What a call of the client raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Mapping, Optional, Sequence

import grpc

from .gen import error_details_pb2, status_pb2

if TYPE_CHECKING:
    from .result import ExecutionResult


@dataclass(frozen=True)
class FieldViolation:
    """A field that is not allowed as it is: its path, what it is and what is allowed."""

    field: str
    description: str


class SpearError(Exception):
    """A request was refused, or could not be answered: it never became an execution, or the server stayed away.

    `code` is the name of a gRPC status. `reason` is of the table of docs/errors.md, and empty where the answer is not
    Spear's. `retry_after` is in seconds, and None where something has to change first.
    """

    def __init__(
        self,
        message: str,
        code: str,
        reason: str = "",
        violations: Sequence[FieldViolation] = (),
        metadata: Optional[Mapping[str, str]] = None,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


class ExecutionFailed(Exception):
    """An execution ended otherwise than completed. `code` and `origin` are of the table of docs/errors.md."""

    def __init__(self, result: ExecutionResult) -> None:
        what = f" ({result.error_code})" if result.error_code else ""
        why = f": {result.error_message}" if result.error_message else ""
        super().__init__(f"{result.execution_id} {result.status}{what}{why}")
        self.result = result
        self.code = result.error_code or "INTERNAL"
        self.origin = result.error_origin or "PLATFORM"
        self.execution_id = result.execution_id

    @property
    def output(self) -> bytes:
        """What it wrote to standard output; of a typed function, the error side of its result as JSON."""
        return self.result.output

    @property
    def error_output(self) -> bytes:
        """What it wrote to standard error."""
        return self.result.error_output


def invalid(field: str, description: str) -> SpearError:
    violation = FieldViolation(field, description)
    return SpearError(f"{field}: {description}", "INVALID_ARGUMENT", "INVALID_FIELD", [violation])


def error_for(error: grpc.RpcError) -> SpearError:
    """The error that a caller gets for one of gRPC's."""
    reason, metadata, retry_after = "", {}, None
    violations = []
    for packed in _details(error):
        # By the end of their names: this package has the messages of google.rpc under names of its own.
        name = packed.type_url.rpartition(".")[2]
        if name == "ErrorInfo":
            info = error_details_pb2.ErrorInfo.FromString(packed.value)
            reason, metadata = info.reason, dict(info.metadata)
        elif name == "RetryInfo":
            retry = error_details_pb2.RetryInfo.FromString(packed.value)
            retry_after = retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9
        elif name == "BadRequest":
            request = error_details_pb2.BadRequest.FromString(packed.value)
            violations += [FieldViolation(each.field, each.description) for each in request.field_violations]
    message = error.details() or error.code().name
    return SpearError(message, error.code().name, reason, violations, metadata, retry_after)


def _details(error: grpc.RpcError):
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return status_pb2.Status.FromString(value).details
    return ()
