"""The calls of one node, tried again where that is safe, and with the errors of the client."""

from __future__ import annotations

import re
import time
from typing import Any, Callable, Iterator, Optional, Sequence, Tuple

import grpc

from .errors import SpearError, error_for

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
# A wrong certificate or address stays what it is.
_FOR_GOOD = re.compile("certificate.verify.failed|wrong.version.number|does not match|peer name|Trying to connect an http1", re.I)


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


class Calls:
    """Calls methods by name on one channel."""

    def __init__(
        self, channel: grpc.Channel, address: str, metadata: Sequence[Tuple[str, str]], retry: float
    ) -> None:
        self._channel = channel
        self._address = address
        self._metadata = tuple(metadata)
        self._retry = retry

    def patience(self, until: Optional[float] = None) -> Patience:
        """`until` is of time.monotonic."""
        return Patience(self._address, self._retry, until)

    def unary(self, method: str, request: Any, answer: Any) -> Any:
        """Raises grpc.RpcError."""
        call = self._channel.unary_unary(
            f"/spearlet.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        return call(request, metadata=self._metadata)

    def stream(self, method: str, request: Any, answer: Any) -> Iterator[Any]:
        """Raises grpc.RpcError. Ends the call when the iterator is closed."""
        call = self._channel.unary_stream(
            f"/spearlet.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )(request, metadata=self._metadata)
        try:
            yield from call
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
        call = self._channel.stream_unary(
            f"/spearlet.{method}",
            request_serializer=request.SerializeToString,
            response_deserializer=answer.FromString,
        )
        while True:
            try:
                return call(requests(), metadata=self._metadata)
            except grpc.RpcError as error:
                patience.after_loss(error)
