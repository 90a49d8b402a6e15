"""What a function is called with, as a message."""

from __future__ import annotations

import base64
import math
import uuid
from typing import Any, Mapping, Optional, Sequence, Union

from google.protobuf import json_format

from .errors import invalid
from .gen import function_pb2 as wire


def request_of(
    task: str,
    *,
    input: Union[bytes, str] = b"",
    content_type: str = "",
    function: str = "",
    parameters: Optional[Mapping[str, Any]] = None,
    args: Sequence[str] = (),
    environment: Optional[Mapping[str, str]] = None,
    queue_timeout: Optional[float] = None,
    attempt_timeout: Optional[float] = None,
    total_timeout: Optional[float] = None,
    start_after: Optional[float] = None,
    invocation_id: Optional[str] = "",
    depends_on: Sequence[Union[str, Mapping[str, Any]]] = (),
    bypass_cache: bool = False,
    metadata: Optional[Mapping[str, str]] = None,
    labels: Optional[Mapping[str, str]] = None,
    priority: Optional[str] = None,
    fairness_key: str = "",
    refuse_if_late: bool = False,
    force_new_instance: bool = False,
) -> wire.InvokeFunctionRequest:
    """An `invocation_id` of None is none; an empty one is made."""
    request = wire.InvokeFunctionRequest(
        task=task,
        input=input.encode() if isinstance(input, str) else input,
        content_type=content_type,
        function_name=function,
        args=args,
        environment=environment,
        invocation_id="" if invocation_id is None else invocation_id or new_invocation_id(),
        bypass_cache=bypass_cache,
        metadata=metadata,
        labels=labels,
        fairness_key=fairness_key,
        refuse_if_late=refuse_if_late,
        force_new_instance=force_new_instance,
    )
    if priority is not None:
        request.priority = enum_value("priority", wire.Priority, "PRIORITY_", priority)
    for each in depends_on:
        request.depends_on.append(_dependency(each))
    for name, value in (parameters or {}).items():
        json_format.ParseDict(_json_of(f"parameters.{name}", value), request.parameters[name])
    durations = {"queue": queue_timeout, "attempt": attempt_timeout, "total": total_timeout}
    for name, seconds in durations.items():
        if seconds is not None:
            set_seconds(getattr(request.timeouts, name), seconds)
    if start_after is not None:
        set_seconds(request.start_after, start_after)
    return request


def new_invocation_id() -> str:
    return f"client-{uuid.uuid4()}"


def set_seconds(duration: Any, seconds: float) -> None:
    duration.FromMicroseconds(round(seconds * 1_000_000))


def enum_value(field: str, enum: Any, prefix: str, name: str) -> int:
    allowed = [each[len(prefix) :] for each in enum.keys() if not each.endswith("UNSPECIFIED")]
    if name not in allowed:
        raise invalid(field, f"is {name!r}; allowed are {', '.join(allowed)}")
    return enum.Value(prefix + name)


def _dependency(given: Union[str, Mapping[str, Any]]) -> wire.Dependency:
    """A text is the id of an execution, or in a batch the name of a member."""
    if isinstance(given, str):
        given = {"execution_id": given} if given.startswith("exec_") else {"name": given}
    known = ("execution_id", "name", "as_input", "as_parameter")
    dependency = wire.Dependency(**{key: given[key] for key in known if key in given})
    for key in given:
        if key not in (*known, "condition", "on_failure"):
            raise invalid(f"depends_on.{key}", f"is unknown; allowed are {', '.join(known)}, condition, on_failure")
    if "condition" in given:
        prefix = "DEPENDENCY_CONDITION_"
        dependency.condition = enum_value("condition", wire.DependencyCondition, prefix, given["condition"])
    if "on_failure" in given:
        prefix = "DEPENDENCY_POLICY_"
        dependency.on_failure = enum_value("on_failure", wire.DependencyPolicy, prefix, given["on_failure"])
    return dependency


def _json_of(field: str, value: Any) -> Any:
    """A value in the form of docs/tasks.md: large integers as digits, bytes as base64, what JSON lacks by its name."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {str(key): _json_of(f"{field}.{key}", each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_of(f"{field}[{index}]", each) for index, each in enumerate(value)]
    raise invalid(field, f"is a {type(value).__name__}; allowed is what JSON has, and bytes")
