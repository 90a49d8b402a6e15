"""Executions that are accepted together."""

from __future__ import annotations

import time
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

import grpc
from google.protobuf import json_format

from .calls import Calls
from .errors import invalid
from .gen import batch_pb2 as wire
from .gen import function_pb2
from .invocation import enum_value, new_invocation_id, request_of, set_seconds

Json = Dict[str, Any]
# Members of one message, of which there may be many.
_AT_ONCE = 500
# One call waits for so long at most: proxies cut what is silent for minutes.
_ONE_WAIT = 30.0


class Batch:
    """A batch on its node, whoever started it. What is told of it are dicts, as batch.proto has them, in snake_case."""

    def __init__(self, calls: Calls, batch_id: str, joined: bool = False) -> None:
        self._calls = calls
        self.id = batch_id
        self.joined = joined

    def status(self) -> Json:
        """How many members there are, and how many of them are in which state."""
        request = wire.GetBatchRequest(batch_id=self.id)
        return _json(self._calls.repeated("BatchService/GetBatch", request, wire.GetBatchResponse).batch)

    def ended(self, timeout: Optional[float] = None) -> Json:
        """Waits until all members have ended, and returns however they did. Raises TimeoutError after `timeout` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _ONE_WAIT if until is None else min(_ONE_WAIT, until - time.monotonic())
            request = wire.WaitBatchRequest(batch_id=self.id)
            request.wait_budget.FromMilliseconds(max(1, round(left * 1000)))
            batch = self._calls.repeated("BatchService/WaitBatch", request, wire.WaitBatchResponse, until).batch
            if batch.is_completed:
                return _json(batch)
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"{self.id} has not ended; it goes on")

    def ends(self, from_sequence: int = 1) -> Iterator[Json]:
        """The ends of members from a number on, each once and in order, until all have ended."""
        patience = self._calls.patience()
        following = from_sequence
        while True:
            request = wire.WatchBatchRequest(batch_id=self.id, from_sequence=following)
            try:
                for answer in self._calls.stream("BatchService/WatchBatch", request, wire.WatchBatchResponse):
                    patience.succeeded()
                    if answer.WhichOneof("event") == "member":
                        following = answer.member.sequence + 1
                        yield _json(answer.member)
                    elif answer.batch.is_completed:
                        return
                patience.pause()
            except grpc.RpcError as error:
                patience.after_loss(error)

    def members(self, statuses: Sequence[str] = ()) -> Iterator[Json]:
        """In the order of the batch; of any of these statuses, or all."""
        request = wire.ListBatchMembersRequest(batch_id=self.id, page_size=1000)
        request.statuses.extend(
            enum_value("statuses", function_pb2.ExecutionStatus, "EXECUTION_STATUS_", each) for each in statuses
        )
        while True:
            page = self._calls.repeated(
                "BatchService/ListBatchMembers", request, wire.ListBatchMembersResponse
            )
            yield from map(_json, page.members)
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    def cancel(self, reason: str = "") -> bool:
        """Asks for the end of all that has not ended, and says whether that changed something."""
        request = wire.CancelBatchRequest(batch_id=self.id, reason=reason)
        return self._calls.repeated("BatchService/CancelBatch", request, wire.CancelBatchResponse).changed


class Batches:
    """The batches of a node."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def start(
        self,
        members: Iterable[Mapping[str, Any]],
        *,
        invocation_id: str = "",
        on_member_failure: Optional[str] = None,
        supervision: Optional[Mapping[str, Any]] = None,
    ) -> Batch:
        """Starts up to 10 000 invocations together, all or none.

        A member is a dict of `task`, the options of `Spear.start`, and `name`, by which the `depends_on` of others
        names it. `on_member_failure`: `CONTINUE` or `CANCEL_OTHERS`. `supervision`, for members that run on:
        `strategy` (`ONE_FOR_ONE`, `ONE_FOR_ALL`, `REST_FOR_ONE`), `intensity`, `within`, `backoff`, `max_backoff`
        (seconds); a member then may have `restart` (`PERMANENT`, `TRANSIENT`, `TEMPORARY`).
        """
        all_of_them = [_member(each) for each in members]
        options = wire.InvokeBatchRequest(invocation_id=invocation_id or new_invocation_id())
        if on_member_failure is not None:
            options.on_member_failure = enum_value(
                "on_member_failure", wire.MemberFailurePolicy, "MEMBER_FAILURE_POLICY_", on_member_failure
            )
        if supervision is not None:
            options.supervision.CopyFrom(_supervision(supervision))
        answer = self._calls.repeated_from_stream(
            "BatchService/InvokeBatchFromStream",
            lambda: _parts(options, all_of_them),
            wire.InvokeBatchFromStreamRequest,
            wire.InvokeBatchFromStreamResponse,
        )
        # With an id of ours, who was there before was an earlier try of this call.
        return Batch(self._calls, answer.batch.batch_id, answer.joined and bool(invocation_id))

    def list(self) -> Iterator[Json]:
        """Newest first, over as many calls as it takes."""
        request = wire.ListBatchesRequest()
        while True:
            page = self._calls.repeated("BatchService/ListBatches", request, wire.ListBatchesResponse)
            yield from map(_json, page.batches)
            request.page_token = page.next_page_token
            if not request.page_token:
                return


def _parts(
    options: wire.InvokeBatchRequest, members: List[wire.BatchMember]
) -> Iterator[wire.InvokeBatchFromStreamRequest]:
    yield wire.InvokeBatchFromStreamRequest(options=options)
    for start in range(0, len(members), _AT_ONCE):
        yield wire.InvokeBatchFromStreamRequest(members=members[start : start + _AT_ONCE])


def _member(given: Mapping[str, Any]) -> wire.BatchMember:
    options = dict(given)
    name, restart, task = options.pop("name", ""), options.pop("restart", None), options.pop("task", "")
    member = wire.BatchMember(name=name, invocation=request_of(task, invocation_id=None, **options))
    if restart is not None:
        member.restart = enum_value("restart", wire.RestartPolicy, "RESTART_POLICY_", restart)
    return member


def _supervision(given: Mapping[str, Any]) -> wire.Supervision:
    message = wire.Supervision()
    for key, value in given.items():
        if key == "strategy":
            message.strategy = enum_value(key, wire.SupervisionStrategy, "SUPERVISION_STRATEGY_", value)
        elif key == "intensity":
            message.intensity = value
        elif key in ("within", "backoff", "max_backoff"):
            set_seconds(getattr(message, key), value)
        else:
            allowed = "strategy, intensity, within, backoff, max_backoff"
            raise invalid(f"supervision.{key}", f"is unknown; allowed are {allowed}")
    return message


def _json(message: Any) -> Json:
    """With names of enums as of executions: `COMPLETED`."""
    json = json_format.MessageToDict(message, preserving_proto_field_name=True)
    for key, prefix in (("status", "EXECUTION_STATUS_"), ("error_code", "ERROR_CODE_")):
        if key in json:
            json[key] = json[key][len(prefix) :]
    return json
