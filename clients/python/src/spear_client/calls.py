"""The calls of nodes, tried again where that is safe, and with the errors of the client."""

from __future__ import annotations

import re
import threading
import time
from typing import Any, Callable, Iterator, Optional, Sequence, Tuple

import grpc

from .errors import SpearError, error_for

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
# A wrong certificate or address stays what it is.
_FOR_GOOD = re.compile("certificate.verify.failed|wrong.version.number|does not match|peer name|Trying to connect an http1", re.I)
# What gRPC says where a connection was never there.
_NOT_REACHED = re.compile("failed to connect|connections to all backends failing|name resolution|DNS resolution", re.I)


class Patience:
    """The pauses between tries to get at one thing; `succeeded` starts them anew."""

    def __init__(self, address: str, seconds: float, until: Optional[float] = None) -> None:
        self._address = address
        self._seconds = seconds
        self._until = until
        self._lost_at: Optional[float] = None
        self._pause = _FIRST_PAUSE

    def succeeded(self) -> None:
        self._lost_at = None
        self._pause = _FIRST_PAUSE

    def after_loss(self, error: grpc.RpcError) -> None:
        """Returns when it is time to try again. Raises what is no lost connection; gives up after a while."""
        known = error_for(error)
        is_lost = known.code in ("UNAVAILABLE", "CANCELLED") and known.reason != "TLS_NEEDED"
        if not is_lost or _FOR_GOOD.search(str(known)):
            raise known from error
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        left = self._seconds - (now - self._lost_at)
        if left < 0 or (known.retry_after or 0) > left:
            if known.reason:
                raise known from error
            raise SpearError(f"cannot reach the server at {self._address}: {known}", "UNAVAILABLE") from error
        self.pause(known.retry_after or 0)

    def pause(self, at_least: float = 0) -> None:
        seconds = max(self._pause, at_least)
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        if self._until is not None and time.monotonic() + seconds > self._until:
            raise TimeoutError("the time of the call is over; what was started goes on")
        time.sleep(seconds)


class _Turn:
    """Which of several nodes is asked: the one that answered last."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.at = 0
        self._lock = threading.Lock()

    def lost(self, at: int, error: grpc.RpcError) -> None:
        """The next one has the turn, but where another call has passed it on meanwhile."""
        if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
            return
        with self._lock:
            if self.at == at:
                self.at = (at + 1) % self.count


class Calls:
    """Calls methods by name on one node, or on any of several of one cluster.

    What a node did not take, as it cannot be reached, stops or is cordoned, goes to the next at once. What broke while it
    was under way fails as with one node, and the next call goes to the next node.
    """

    def __init__(
        self,
        channels: Sequence[grpc.Channel],
        addresses: Sequence[str],
        metadata: Sequence[Tuple[str, str]],
        retry: float,
    ) -> None:
        self._channels = tuple(channels)
        self._turn = _Turn(len(self._channels))
        self._address = ", ".join(addresses)
        self._metadata = tuple(metadata)
        self._retry = retry

    def patience(self, until: Optional[float] = None) -> Patience:
        """`until` is of time.monotonic."""
        return Patience(self._address, self._retry, until)

    def unary(self, method: str, request: Any, answer: Any) -> Any:
        """Raises grpc.RpcError."""
        def ask(channel: grpc.Channel) -> Any:
            call = channel.unary_unary(
                f"/spearlet.{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=answer.FromString,
            )
            return call(request, metadata=self._metadata)

        return self._of_any(ask)

    def stream(self, method: str, request: Any, answer: Any) -> Iterator[Any]:
        """Raises grpc.RpcError. Ends the call when the iterator is closed."""
        for tried in range(1, self._turn.count + 1):
            at, begun = self._turn.at, False
            call = self._channels[at].unary_stream(
                f"/spearlet.{method}",
                request_serializer=type(request).SerializeToString,
                response_deserializer=answer.FromString,
            )(request, metadata=self._metadata)
            try:
                for message in call:
                    begun = True
                    yield message
                return
            except grpc.RpcError as error:
                self._turn.lost(at, error)
                if begun or tried == self._turn.count or not _was_not_taken(error):
                    raise
            finally:
                call.cancel()

    def once(self, method: str, request: Any, answer: Any) -> Any:
        """For what may not be done twice."""
        try:
            return self.unary(method, request, answer)
        except grpc.RpcError as error:
            raise error_for(error) from error

    def repeated(self, method: str, request: Any, answer: Any, until: Optional[float] = None) -> Any:
        """For what does the same when it is done twice."""
        patience = self.patience(until)
        while True:
            try:
                return self.unary(method, request, answer)
            except grpc.RpcError as error:
                patience.after_loss(error)

    def repeated_from_stream(self, method: str, requests: Callable[[], Iterator[Any]], request: Any, answer: Any) -> Any:
        """For many messages and one answer, where it does the same when it is done twice."""
        patience = self.patience()

        def ask(channel: grpc.Channel) -> Any:
            call = channel.stream_unary(
                f"/spearlet.{method}",
                request_serializer=request.SerializeToString,
                response_deserializer=answer.FromString,
            )
            return call(requests(), metadata=self._metadata)

        while True:
            try:
                return self._of_any(ask)
            except grpc.RpcError as error:
                patience.after_loss(error)

    def _of_any(self, ask: Callable[[grpc.Channel], Any]) -> Any:
        for tried in range(1, self._turn.count + 1):
            at = self._turn.at
            try:
                return ask(self._channels[at])
            except grpc.RpcError as error:
                self._turn.lost(at, error)
                if tried == self._turn.count or not _was_not_taken(error):
                    raise


def _was_not_taken(error: grpc.RpcError) -> bool:
    """The node has not begun with it: it was not reached, or says that it takes nothing new."""
    if error.code() != grpc.StatusCode.UNAVAILABLE:
        return False
    reason = error_for(error).reason
    return reason in ("DRAINING", "CORDONED") if reason else _NOT_REACHED.search(error.details() or "") is not None
