"""The tasks of a node."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, Optional, Union

from google.protobuf import json_format

from .calls import Calls
from .errors import invalid
from .gen import task_pb2 as wire

Json = Dict[str, Any]
_RUNTIMES = ("wasm", "docker", "process")


class Tasks:
    """Definitions are as docs/tasks.md has them, in snake_case or lowerCamelCase; durations are such as `1.5s`."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def register(
        self,
        name: str,
        *,
        runtime: str,
        artifact: Union[bytes, Mapping[str, str]],
        if_absent: bool = False,
        **definition: Any,
    ) -> Json:
        """Registers a task: a new revision where the name has another definition.

        `artifact` is the bytes of a component or module, or `{"image": …}`, `{"url": …}` or `{"path": …}`.
        """
        if runtime not in _RUNTIMES:
            raise invalid("runtime", f"is {runtime!r}; allowed are {', '.join(_RUNTIMES)}")
        message = _definition({"name": name, **definition})
        message.runtime = wire.RuntimeKind.Value(f"RUNTIME_KIND_{runtime.upper()}")
        if isinstance(artifact, bytes):
            message.artifact.content = artifact
        else:
            message.MergeFrom(_definition({"artifact": dict(artifact)}))
        request = wire.RegisterTaskRequest(definition=message, if_absent=if_absent)
        # A second try of the first registration would find the name taken by it.
        call = self._calls.once if if_absent else self._calls.repeated
        return _json(call("TaskService/RegisterTask", request, wire.RegisterTaskResponse).task)

    def get(self, task: str) -> Json:
        """By name or id."""
        request = wire.GetTaskRequest(task=task)
        return _json(self._calls.repeated("TaskService/GetTask", request, wire.GetTaskResponse).task)

    def list(self, labels: Optional[Mapping[str, str]] = None) -> Iterator[Json]:
        """By name, over as many calls as it takes."""
        token = ""
        while True:
            request = wire.ListTasksRequest(labels=labels, page_token=token)
            page = self._calls.repeated("TaskService/ListTasks", request, wire.ListTasksResponse)
            for task in page.tasks:
                yield _json(task)
            token = page.next_page_token
            if not token:
                return

    def update(self, task: str, *, expected_revision: Optional[int] = None, **changes: Any) -> Json:
        """Changes what is named, in snake_case, and leaves the rest; None is unset, or has its default again."""
        request = wire.UpdateTaskRequest(task=task, expected_revision=expected_revision)
        request.definition.CopyFrom(_definition({k: v for k, v in changes.items() if v is not None}))
        request.update_mask.paths.extend(changes)
        # A second try would find the revision that the first one made.
        call = self._calls.repeated if expected_revision is None else self._calls.once
        return _json(call("TaskService/UpdateTask", request, wire.UpdateTaskResponse).task)

    def delete(self, task: str, *, cancel_executions: bool = False) -> None:
        """Executions that were accepted run to their end, or are asked to end."""
        request = wire.DeleteTaskRequest(task=task, cancel_executions=cancel_executions)
        self._calls.once("TaskService/DeleteTask", request, wire.DeleteTaskResponse)


def _definition(json: Json) -> wire.TaskDefinition:
    try:
        return json_format.ParseDict(json, wire.TaskDefinition())
    except json_format.ParseError as error:
        raise invalid("definition", str(error)) from error


def _json(task: wire.Task) -> Json:
    return json_format.MessageToDict(task, preserving_proto_field_name=True)
