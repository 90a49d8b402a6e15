from google.protobuf import timestamp_pb2 as _timestamp_pb2
from spear_client.gen import task_pb2 as _task_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompareRevisionsRequest(_message.Message):
    __slots__ = ["task", "to"]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    task: str
    to: str
    def __init__(self, task: _Optional[str] = ..., to: _Optional[str] = ..., **kwargs) -> None: ...

class CompareRevisionsResponse(_message.Message):
    __slots__ = ["changes", "to"]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[FieldChange]
    to: int
    def __init__(self, to: _Optional[int] = ..., changes: _Optional[_Iterable[_Union[FieldChange, _Mapping]]] = ..., **kwargs) -> None: ...

class DeleteAliasRequest(_message.Message):
    __slots__ = ["alias", "expected_version", "task"]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    alias: str
    expected_version: int
    task: str
    def __init__(self, task: _Optional[str] = ..., alias: _Optional[str] = ..., expected_version: _Optional[int] = ...) -> None: ...

class DeleteAliasResponse(_message.Message):
    __slots__ = ["changed"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    def __init__(self, changed: bool = ...) -> None: ...

class DeleteRevisionRequest(_message.Message):
    __slots__ = ["revision", "task"]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    revision: int
    task: str
    def __init__(self, task: _Optional[str] = ..., revision: _Optional[int] = ...) -> None: ...

class DeleteRevisionResponse(_message.Message):
    __slots__ = ["task_id"]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    task_id: str
    def __init__(self, task_id: _Optional[str] = ...) -> None: ...

class FieldChange(_message.Message):
    __slots__ = ["after", "before", "path"]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    after: str
    before: str
    path: str
    def __init__(self, path: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ...) -> None: ...

class ListRevisionsRequest(_message.Message):
    __slots__ = ["page_size", "page_token", "task"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    task: str
    def __init__(self, task: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRevisionsResponse(_message.Message):
    __slots__ = ["aliases", "next_page_token", "revisions", "task_id", "task_name"]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    REVISIONS_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[_task_pb2.TaskAlias]
    next_page_token: str
    revisions: _containers.RepeatedCompositeFieldContainer[Revision]
    task_id: str
    task_name: str
    def __init__(self, revisions: _Optional[_Iterable[_Union[Revision, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., aliases: _Optional[_Iterable[_Union[_task_pb2.TaskAlias, _Mapping]]] = ..., task_id: _Optional[str] = ..., task_name: _Optional[str] = ...) -> None: ...

class Revision(_message.Message):
    __slots__ = ["artifact_sha256", "changed", "percent", "registered_at", "revision"]
    ARTIFACT_SHA256_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_AT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    artifact_sha256: str
    changed: _containers.RepeatedScalarFieldContainer[str]
    percent: int
    registered_at: _timestamp_pb2.Timestamp
    revision: int
    def __init__(self, revision: _Optional[int] = ..., registered_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., changed: _Optional[_Iterable[str]] = ..., artifact_sha256: _Optional[str] = ..., percent: _Optional[int] = ...) -> None: ...

class RollbackAliasRequest(_message.Message):
    __slots__ = ["alias", "expected_version", "revision", "task"]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    alias: str
    expected_version: int
    revision: int
    task: str
    def __init__(self, task: _Optional[str] = ..., alias: _Optional[str] = ..., revision: _Optional[int] = ..., expected_version: _Optional[int] = ...) -> None: ...

class RollbackAliasResponse(_message.Message):
    __slots__ = ["alias", "created"]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    alias: _task_pb2.TaskAlias
    created: bool
    def __init__(self, alias: _Optional[_Union[_task_pb2.TaskAlias, _Mapping]] = ..., created: bool = ...) -> None: ...

class SetAliasRequest(_message.Message):
    __slots__ = ["alias", "expected_version", "shares", "task"]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    alias: str
    expected_version: int
    shares: _containers.RepeatedCompositeFieldContainer[_task_pb2.AliasShare]
    task: str
    def __init__(self, task: _Optional[str] = ..., alias: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[_task_pb2.AliasShare, _Mapping]]] = ..., expected_version: _Optional[int] = ...) -> None: ...

class SetAliasResponse(_message.Message):
    __slots__ = ["alias", "changed"]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    alias: _task_pb2.TaskAlias
    changed: bool
    def __init__(self, alias: _Optional[_Union[_task_pb2.TaskAlias, _Mapping]] = ..., changed: bool = ...) -> None: ...
