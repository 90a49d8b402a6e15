"""A node, as its callers use it."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

import grpc

from .aliases import Aliases
from .batches import Batch, Batches
from .calls import Calls
from .errors import ExecutionFailed
from .events import ChunkEvent, Event, event_of
from .gen import function_pb2 as wire
from .invocation import enum_value, request_of
from .result import ExecutionResult, result_of
from .schedules import Schedules
from .tasks import Tasks

# The first answer of `invoke` tells the id, by which a wait goes on over another connection.
_FIRST_ANSWER = 0.25
# One call waits for so long at most: proxies cut what is silent for minutes.
_ONE_WAIT = 30.0


class Execution:
    """One execution on its node, whoever started it."""

    def __init__(self, calls: Calls, execution_id: str, joined: bool = False) -> None:
        self._calls = calls
        self.id = execution_id
        self.joined = joined

    def status(self, *, output: bool = False) -> ExecutionResult:
        """How it stands now; with `output` also what it has written so far, at most 3 MiB."""
        request = wire.GetExecutionStatusRequest(execution_id=self.id, include_output=output)
        answer = self._calls.repeated(
            "FunctionService/GetExecutionStatus", request, wire.GetExecutionStatusResponse
        )
        return result_of(answer.result)

    def result(self, timeout: Optional[float] = None) -> ExecutionResult:
        """Waits for the end, over as many connections as it takes; has all of the output.

        Raises ExecutionFailed where it did not complete, TimeoutError after `timeout` seconds, and SpearError.
        """
        result = self.ended(timeout)
        if result.status != "COMPLETED":
            raise ExecutionFailed(result)
        return result

    def ended(self, timeout: Optional[float] = None) -> ExecutionResult:
        """As `result`, and returns however it ended."""
        until = None if timeout is None else time.monotonic() + timeout
        patience = self._calls.patience(until)
        while True:
            left = _ONE_WAIT if until is None else min(_ONE_WAIT, until - time.monotonic())
            request = wire.WaitExecutionRequest(execution_id=self.id)
            request.wait_budget.FromMilliseconds(max(1, round(left * 1000)))
            try:
                answer = self._calls.unary("FunctionService/WaitExecution", request, wire.WaitExecutionResponse)
            except grpc.RpcError as error:
                patience.after_loss(error)
                continue
            patience.succeeded()
            if answer.result.is_completed:
                return self._whole(answer.result)
            if until is not None and time.monotonic() >= until:
                raise TimeoutError(f"{self.id} has not ended; it goes on")
            if left > 1:
                # It may have come back early because the server is going away.
                patience.pause()

    def events(self, from_sequence: int = 1) -> Iterator[Event]:
        """Its log, each event once and in order, to the result, over as many connections as it takes."""
        return map(event_of, self._follow(from_sequence))

    def output(self, stream: str = "stdout") -> Iterator[bytes]:
        """What it writes, as it comes, up to its end, however that is; of all attempts."""
        for event in self.events():
            if isinstance(event, ChunkEvent) and event.stream == stream:
                yield event.data

    def cancel(self, reason: str = "") -> bool:
        """Asks for its end, and says whether that changed something."""
        request = wire.CancelExecutionRequest(execution_id=self.id, reason=reason)
        return self._calls.repeated(
            "FunctionService/CancelExecution", request, wire.CancelExecutionResponse
        ).changed

    def suspend(self) -> bool:
        """Holds it."""
        request = wire.SuspendExecutionRequest(execution_id=self.id)
        return self._calls.repeated(
            "FunctionService/SuspendExecution", request, wire.SuspendExecutionResponse
        ).changed

    def resume(self) -> bool:
        """Lets it go on."""
        request = wire.ResumeExecutionRequest(execution_id=self.id)
        return self._calls.repeated(
            "FunctionService/ResumeExecution", request, wire.ResumeExecutionResponse
        ).changed

    def _follow(self, following: int) -> Iterator[wire.StreamExecutionResult]:
        patience = self._calls.patience()
        while True:
            request = wire.WatchExecutionRequest(execution_id=self.id, from_sequence=following)
            try:
                for event in self._calls.stream(
                    "FunctionService/WatchExecution", request, wire.StreamExecutionResult
                ):
                    following = event.sequence + 1
                    patience.succeeded()
                    yield event
                    if event.is_final:
                        return
                status = wire.GetExecutionStatusRequest(execution_id=self.id)
                now = self._calls.unary(
                    "FunctionService/GetExecutionStatus", status, wire.GetExecutionStatusResponse
                )
                # A watch that starts behind the result ends at once, as it should.
                if now.result.is_completed and following > now.last_sequence:
                    return
                patience.pause()
            except grpc.RpcError as error:
                patience.after_loss(error)

    def _whole(self, message: wire.ExecutionResult) -> ExecutionResult:
        """A response carries at most 3 MiB of output; the log has the rest."""
        if message.output_truncated and message.oldest_sequence <= 1:
            written = {wire.OUTPUT_STREAM_STDOUT: bytearray(), wire.OUTPUT_STREAM_STDERR: bytearray()}
            for event in self._follow(1):
                if event.WhichOneof("event") == "chunk" and event.attempt == message.attempt:
                    written[event.chunk.stream] += event.chunk.data
            # A typed function's value is in no chunk, and always whole.
            if message.content_type != "application/json":
                message.output = bytes(written[wire.OUTPUT_STREAM_STDOUT])
            message.error_output = bytes(written[wire.OUTPUT_STREAM_STDERR])
            message.output_truncated = False
        return result_of(message)


class Spear:
    """A node. Close it, or use it in a `with`; what was started goes on."""

    def __init__(self, calls: Calls, close: Callable[[], None]) -> None:
        self._calls = calls
        self._close = close
        self.tasks = Tasks(calls)
        self.batches = Batches(calls)
        self.schedules = Schedules(calls)
        self.aliases = Aliases(calls)

    def __enter__(self) -> Spear:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._close()

    def invoke(self, task: str, *, timeout: Optional[float] = None, **options: Any) -> ExecutionResult:
        """Runs a function once and returns its result, however often the connection breaks meanwhile.

        The options are those of `start`; `timeout` is how many seconds the call waits. Raises ExecutionFailed where it
        did not complete, SpearError where it was refused, and TimeoutError.
        """
        until = None if timeout is None else time.monotonic() + timeout
        request = request_of(task, **options)
        request.execution_mode = wire.EXECUTION_MODE_SYNC
        first = _FIRST_ANSWER if timeout is None else min(_FIRST_ANSWER, timeout)
        request.wait_budget.FromMilliseconds(max(1, round(first * 1000)))
        answer = self._invoke(request, until)
        execution = Execution(self._calls, answer.execution_id)
        if answer.result.is_completed and not answer.result.output_truncated:
            result = result_of(answer.result)
            if result.status != "COMPLETED":
                raise ExecutionFailed(result)
            return result
        return execution.result(None if until is None else max(0, until - time.monotonic()))

    def start(self, task: str, **options: Any) -> Execution:
        """Starts a function once, and returns when that is on the node's disk. Raises SpearError.

        Options: `input` (bytes or text), `content_type`, `function`, `parameters`, `args`, `environment`,
        `queue_timeout`, `attempt_timeout`, `total_timeout` and `start_after` (seconds), `invocation_id`, `depends_on`
        (ids of executions, or dicts with `execution_id`, `condition`, `on_failure`, `as_input`, `as_parameter`),
        `bypass_cache`, `metadata`, `labels`, `priority` (`LOW`, `NORMAL`, `HIGH`, `URGENT`), `fairness_key`,
        `refuse_if_late`, `force_new_instance`. Without an `invocation_id` one is made, so that retries of the call run it once.
        """
        request = request_of(task, **options)
        request.execution_mode = wire.EXECUTION_MODE_ASYNC
        answer = self._invoke(request, None)
        # With an id of ours, who was there before was an earlier try of this call.
        return Execution(self._calls, answer.execution_id, answer.joined and bool(options.get("invocation_id")))

    def execution(self, execution_id: str) -> Execution:
        """One that is there, by its id. Nothing is asked of the node yet."""
        return Execution(self._calls, execution_id)

    def batch(self, batch_id: str) -> Batch:
        """A batch that is there, by its id. Nothing is asked of the node yet."""
        return Batch(self._calls, batch_id)

    def list(
        self,
        *,
        task: str = "",
        batch: str = "",
        schedule: str = "",
        statuses: Sequence[str] = (),
        labels: Optional[Mapping[str, str]] = None,
        created_after: Optional[datetime] = None,
        created_before: Optional[datetime] = None,
        all_tenants: bool = False,
    ) -> Iterator[ExecutionResult]:
        """Executions, newest first and without their output, over as many calls as it takes."""
        request = wire.ListExecutionsRequest(
            task=task, batch_id=batch, schedule=schedule, labels=labels, all_tenants=all_tenants
        )
        request.statuses.extend(enum_value("statuses", wire.ExecutionStatus, "EXECUTION_STATUS_", each) for each in statuses)
        if created_after is not None:
            request.created_after.FromDatetime(created_after)
        if created_before is not None:
            request.created_before.FromDatetime(created_before)
        while True:
            page = self._calls.repeated(
                "FunctionService/ListExecutions", request, wire.ListExecutionsResponse
            )
            yield from map(result_of, page.executions)
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    def _invoke(self, request: wire.InvokeFunctionRequest, until: Optional[float]) -> wire.InvokeFunctionResponse:
        return self._calls.repeated(
            "FunctionService/InvokeFunction", request, wire.InvokeFunctionResponse, until
        )
