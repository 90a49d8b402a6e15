"""How a node is reached: over its socket where it is this user's own, else over TCP with a token if there is one."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Sequence, Union

import grpc

from .calls import Calls
from .client import Spear
from .errors import invalid

_DEFAULT_ADDRESS = "127.0.0.1:50051"
_USUAL = ("localhost", "127.0.0.1", "::1")
_EVERYWHERE = ("0.0.0.0", "::")
_OPTIONS = (
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    ("grpc.max_send_message_length", -1),
    # It would take a proxy of the environment to loopback, too, and show it the token.
    ("grpc.enable_http_proxy", 0),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    # A machine that is off does not refuse.
    ("grpc.min_reconnect_backoff_ms", 5000),
)


def connect(
    address: Union[str, Sequence[str], None] = None,
    *,
    token: Optional[str] = None,
    token_file: Optional[str] = None,
    tenant: Optional[str] = None,
    tls: Optional[bool] = None,
    ca: Optional[bytes] = None,
    cert: Optional[bytes] = None,
    key: Optional[bytes] = None,
    retry: float = 30.0,
) -> Spear:
    """Connects to a node, with the defaults of the `spear` command; the connection is made with the first call.

    `address` is HOST:PORT, or https://HOST:PORT over TLS (or SPEAR_ADDRESS); or several of the nodes of a cluster, as a
    list or with commas: a call goes to the next where one does not answer, stops or is cordoned. `token` (or
    SPEAR_TOKEN), or a file with it; a node of this user on this machine needs none. `ca`, `cert` and `key` are PEM (or
    the files that SPEAR_CA, SPEAR_CLIENT_CERT and SPEAR_CLIENT_KEY name). `retry` is for how many seconds a call is
    tried again while no node can be reached. Raises SpearError that names the option where one is not allowed.
    """
    env = os.environ
    given = env.get("SPEAR_ADDRESS") or _DEFAULT_ADDRESS if address is None or address == "" else address
    texts = given.split(",") if isinstance(given, str) else list(given)
    if not texts:
        raise invalid("address", "is empty; allowed are 1 or more")
    places = [_place(str(text).strip(), tls) for text in texts]
    for place in places:
        if not place.secured and (ca or cert or key):
            raise invalid(
                "tls", f"is off beside a certificate; allowed is the address https://{place.target}, or tls=True"
            )
    if token is not None and token_file is not None:
        raise invalid("token_file", "stands beside token; allowed is one of them")
    shown = (_read("token_file", token_file).decode() if token_file else token or env.get("SPEAR_TOKEN", "")).strip()
    if (shown or token_file) and not re.fullmatch(r"[!-~]{1,8192}", shown):
        raise invalid("token_file" if token_file else "token", "is no token; spear token create makes one")
    if any(place.secured for place in places):
        cert = cert or _named("SPEAR_CLIENT_CERT")
        key = key or _named("SPEAR_CLIENT_KEY")
        if (cert is None) != (key is None):
            raise invalid("key" if key is None else "cert", "is missing; allowed are cert and key together")
    metadata = [("authorization", f"Bearer {shown}")] if shown else []
    named = tenant or env.get("SPEAR_TENANT")
    if named:
        metadata.append(("spear-tenant", named))
    # All of them are good before one is opened.
    notes = [_checked(place, shown) for place in places]
    channels = [
        _channel(place, note if not shown and not (place.secured and cert) else None, ca, cert, key)
        for place, note in zip(places, notes)
    ]

    def close() -> None:
        for channel in channels:
            channel.close()

    return Spear(Calls(channels, [place.target for place in places], metadata, retry), close)


@dataclass(frozen=True)
class _Place:
    target: str
    host: str
    port: int
    secured: bool

    @property
    def here(self) -> bool:
        return self.host in _USUAL or re.fullmatch(r"127(\.\d{1,3}){3}", self.host) is not None


def _place(text: str, tls: Optional[bool]) -> _Place:
    match = re.fullmatch(r"(https://)?((\[[0-9a-fA-F:]+\]|[^:/\[\]]+):(\d{1,5}))/?", text)
    if match is None or int(match[4]) > 65_535:
        raise invalid("address", f"is {text!r}; allowed is HOST:PORT, or https://HOST:PORT over TLS")
    if tls is False and match[1]:
        raise invalid("tls", "is False beside an address of https://; allowed is one or the other")
    return _Place(match[2], match[3].strip("[]"), int(match[4]), tls is True or match[1] is not None)


def _checked(place: _Place, shown: str) -> Optional[dict]:
    """What the node has noted about itself, where it is one of this machine."""
    note = _note(place.host, place.port) if place.here else None
    if shown and not place.secured:
        if not place.here:
            raise invalid("token", f"goes beyond this machine only over TLS; allowed is https://{place.target}")
        if note is not None and note.get("tls") is True:
            raise invalid("address", f"the server at {place.target} speaks TLS; allowed is https://{place.target}")
    return note


def _channel(
    place: _Place, note: Optional[dict], ca: Optional[bytes], cert: Optional[bytes], key: Optional[bytes]
) -> grpc.Channel:
    if note is not None:
        return grpc.insecure_channel(f"unix:{note['socket']}", _OPTIONS)
    if not place.secured:
        return grpc.insecure_channel(place.target, _OPTIONS)
    credentials = grpc.ssl_channel_credentials(ca or _named("SPEAR_CA"), key, cert)
    return grpc.secure_channel(place.target, credentials, _OPTIONS)


def _read(name: str, path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise invalid(name, f"cannot read {path!r}: {error.strerror}") from error


def _named(variable: str) -> Optional[bytes]:
    path = os.environ.get(variable)
    return _read(variable, path) if path else None


def _note(host: str, port: int) -> Optional[dict]:
    """What the node of this user at an address has noted about itself, such as its socket."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    try:
        note = json.loads((Path(state) / "spear" / "nodes" / f"{port}.json").read_text())
        noted = note["grpcAddress"].rpartition(":")[0].strip("[]")
        os.kill(int(note["pid"]), 0)
        same = noted == host or noted in _EVERYWHERE or (noted in _USUAL and host in _USUAL)
        return note if same and isinstance(note["socket"], str) else None
    except PermissionError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
