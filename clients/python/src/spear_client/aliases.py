"""Names for revisions of tasks."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Mapping, Optional, Union

from google.protobuf import json_format

from .calls import Calls
from .gen import revision_pb2 as wire

Json = Dict[str, Any]


class Aliases:
    """The aliases and revisions of tasks: docs/revisions.md. They are dicts, as the protocol has them, in snake_case."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def set(
        self,
        task: str,
        alias: str,
        to: Union[int, Mapping[int, int]],
        *,
        expected_version: Optional[int] = None,
    ) -> Json:
        """Moves an alias, or makes it. `to` is a revision, or percents that are 100 together by revision."""
        request = wire.SetAliasRequest(task=task, alias=alias, expected_version=expected_version)
        for revision, percent in ({to: 100} if isinstance(to, int) else to).items():
            request.shares.add(revision=revision, percent=percent)
        # A second try would find the version that the first one made.
        call = self._calls.repeated if expected_version is None else self._calls.once
        return _json(call("RevisionService/SetAlias", request, wire.SetAliasResponse).alias)

    def rollback(
        self, task: str, alias: str = "live", *, revision: int = 0, expected_version: Optional[int] = None
    ) -> Json:
        """Moves it to where it was before its last move, or to `revision`. It is sent once: a second try would move it back."""
        request = wire.RollbackAliasRequest(
            task=task, alias=alias, revision=revision, expected_version=expected_version
        )
        return _json(self._calls.once("RevisionService/RollbackAlias", request, wire.RollbackAliasResponse).alias)

    def delete(self, task: str, alias: str, *, expected_version: Optional[int] = None) -> bool:
        """Says whether there was one."""
        request = wire.DeleteAliasRequest(task=task, alias=alias, expected_version=expected_version)
        return self._calls.once("RevisionService/DeleteAlias", request, wire.DeleteAliasResponse).changed

    def list(self, task: str) -> List[Json]:
        request = wire.ListRevisionsRequest(task=task, page_size=1)
        answer = self._calls.repeated("RevisionService/ListRevisions", request, wire.ListRevisionsResponse)
        return [_json(each) for each in answer.aliases]

    def revisions(self, task: str) -> Iterator[Json]:
        """The newest first, over as many calls as it takes."""
        request = wire.ListRevisionsRequest(task=task)
        while True:
            page = self._calls.repeated("RevisionService/ListRevisions", request, wire.ListRevisionsResponse)
            yield from map(_json, page.revisions)
            request.page_token = page.next_page_token
            if not request.page_token:
                return


def _json(message: Any) -> Json:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
