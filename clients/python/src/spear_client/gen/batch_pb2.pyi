from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from spear_client.gen import function_pb2 as _function_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
MEMBER_FAILURE_POLICY_CANCEL_OTHERS: MemberFailurePolicy
MEMBER_FAILURE_POLICY_CONTINUE: MemberFailurePolicy
MEMBER_FAILURE_POLICY_UNSPECIFIED: MemberFailurePolicy
RESTART_POLICY_PERMANENT: RestartPolicy
RESTART_POLICY_TEMPORARY: RestartPolicy
RESTART_POLICY_TRANSIENT: RestartPolicy
RESTART_POLICY_UNSPECIFIED: RestartPolicy
SUPERVISION_END_REASON_CANCELLED: SupervisionEndReason
SUPERVISION_END_REASON_INTENSITY: SupervisionEndReason
SUPERVISION_END_REASON_LOST: SupervisionEndReason
SUPERVISION_END_REASON_UNSPECIFIED: SupervisionEndReason
SUPERVISION_PHASE_ENDED: SupervisionPhase
SUPERVISION_PHASE_ENDING: SupervisionPhase
SUPERVISION_PHASE_RESTARTING: SupervisionPhase
SUPERVISION_PHASE_RUNNING: SupervisionPhase
SUPERVISION_PHASE_UNSPECIFIED: SupervisionPhase
SUPERVISION_STRATEGY_ONE_FOR_ALL: SupervisionStrategy
SUPERVISION_STRATEGY_ONE_FOR_ONE: SupervisionStrategy
SUPERVISION_STRATEGY_REST_FOR_ONE: SupervisionStrategy
SUPERVISION_STRATEGY_UNSPECIFIED: SupervisionStrategy

class Batch(_message.Message):
    __slots__ = ["batch_id", "cancelled", "cancelling", "completed", "completed_at", "created_at", "failed", "invocation_id", "is_completed", "last_sequence", "layers", "members", "on_member_failure", "pending", "running", "supervision", "task_names", "tenant", "timed_out"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    CANCELLING_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    IS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    LAYERS_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ON_MEMBER_FAILURE_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    SUPERVISION_FIELD_NUMBER: _ClassVar[int]
    TASK_NAMES_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    cancelled: int
    cancelling: bool
    completed: int
    completed_at: _timestamp_pb2.Timestamp
    created_at: _timestamp_pb2.Timestamp
    failed: int
    invocation_id: str
    is_completed: bool
    last_sequence: int
    layers: int
    members: int
    on_member_failure: MemberFailurePolicy
    pending: int
    running: int
    supervision: SupervisionState
    task_names: _containers.RepeatedScalarFieldContainer[str]
    tenant: str
    timed_out: int
    def __init__(self, batch_id: _Optional[str] = ..., tenant: _Optional[str] = ..., invocation_id: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., on_member_failure: _Optional[_Union[MemberFailurePolicy, str]] = ..., members: _Optional[int] = ..., layers: _Optional[int] = ..., pending: _Optional[int] = ..., running: _Optional[int] = ..., completed: _Optional[int] = ..., failed: _Optional[int] = ..., cancelled: _Optional[int] = ..., timed_out: _Optional[int] = ..., cancelling: bool = ..., is_completed: bool = ..., last_sequence: _Optional[int] = ..., task_names: _Optional[_Iterable[str]] = ..., supervision: _Optional[_Union[SupervisionState, _Mapping]] = ...) -> None: ...

class BatchFailureGroup(_message.Message):
    __slots__ = ["count", "error_code", "status"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    count: int
    error_code: _function_pb2.ErrorCode
    status: _function_pb2.ExecutionStatus
    def __init__(self, status: _Optional[_Union[_function_pb2.ExecutionStatus, str]] = ..., error_code: _Optional[_Union[_function_pb2.ErrorCode, str]] = ..., count: _Optional[int] = ...) -> None: ...

class BatchGroupLink(_message.Message):
    __slots__ = ["count", "to"]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    count: int
    to: int
    def __init__(self, to: _Optional[int] = ..., count: _Optional[int] = ..., **kwargs) -> None: ...

class BatchMember(_message.Message):
    __slots__ = ["invocation", "name", "restart"]
    INVOCATION_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESTART_FIELD_NUMBER: _ClassVar[int]
    invocation: _function_pb2.InvokeFunctionRequest
    name: str
    restart: RestartPolicy
    def __init__(self, name: _Optional[str] = ..., invocation: _Optional[_Union[_function_pb2.InvokeFunctionRequest, _Mapping]] = ..., restart: _Optional[_Union[RestartPolicy, str]] = ...) -> None: ...

class BatchMemberGroup(_message.Message):
    __slots__ = ["cancelled", "completed", "failed", "first_layer", "last_layer", "pending", "running", "task_name", "tasks", "timed_out", "unknown"]
    CANCELLED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    FIRST_LAYER_FIELD_NUMBER: _ClassVar[int]
    LAST_LAYER_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    TIMED_OUT_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    cancelled: int
    completed: int
    failed: int
    first_layer: int
    last_layer: int
    pending: int
    running: int
    task_name: str
    tasks: int
    timed_out: int
    unknown: int
    def __init__(self, first_layer: _Optional[int] = ..., last_layer: _Optional[int] = ..., task_name: _Optional[str] = ..., tasks: _Optional[int] = ..., pending: _Optional[int] = ..., running: _Optional[int] = ..., completed: _Optional[int] = ..., failed: _Optional[int] = ..., cancelled: _Optional[int] = ..., timed_out: _Optional[int] = ..., unknown: _Optional[int] = ...) -> None: ...

class BatchMemberState(_message.Message):
    __slots__ = ["ended_at", "error_code", "execution_id", "follows", "layer", "member", "name", "restart", "restarts", "sequence", "status", "task_name"]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOWS_FIELD_NUMBER: _ClassVar[int]
    LAYER_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    RESTART_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    ended_at: _timestamp_pb2.Timestamp
    error_code: _function_pb2.ErrorCode
    execution_id: str
    follows: _containers.RepeatedScalarFieldContainer[int]
    layer: int
    member: int
    name: str
    restart: RestartPolicy
    restarts: int
    sequence: int
    status: _function_pb2.ExecutionStatus
    task_name: str
    def __init__(self, member: _Optional[int] = ..., name: _Optional[str] = ..., execution_id: _Optional[str] = ..., layer: _Optional[int] = ..., follows: _Optional[_Iterable[int]] = ..., status: _Optional[_Union[_function_pb2.ExecutionStatus, str]] = ..., error_code: _Optional[_Union[_function_pb2.ErrorCode, str]] = ..., ended_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., sequence: _Optional[int] = ..., task_name: _Optional[str] = ..., restart: _Optional[_Union[RestartPolicy, str]] = ..., restarts: _Optional[int] = ...) -> None: ...

class CancelBatchRequest(_message.Message):
    __slots__ = ["batch_id", "reason"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    reason: str
    def __init__(self, batch_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelBatchResponse(_message.Message):
    __slots__ = ["batch", "changed"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    changed: bool
    def __init__(self, changed: bool = ..., batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class GetBatchRequest(_message.Message):
    __slots__ = ["batch_id"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    def __init__(self, batch_id: _Optional[str] = ...) -> None: ...

class GetBatchResponse(_message.Message):
    __slots__ = ["batch"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class GroupBatchMembersRequest(_message.Message):
    __slots__ = ["batch_id", "first_layer", "last_layer", "max_bands"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_LAYER_FIELD_NUMBER: _ClassVar[int]
    LAST_LAYER_FIELD_NUMBER: _ClassVar[int]
    MAX_BANDS_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    first_layer: int
    last_layer: int
    max_bands: int
    def __init__(self, batch_id: _Optional[str] = ..., first_layer: _Optional[int] = ..., last_layer: _Optional[int] = ..., max_bands: _Optional[int] = ...) -> None: ...

class GroupBatchMembersResponse(_message.Message):
    __slots__ = ["failures", "groups", "links"]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    LINKS_FIELD_NUMBER: _ClassVar[int]
    failures: _containers.RepeatedCompositeFieldContainer[BatchFailureGroup]
    groups: _containers.RepeatedCompositeFieldContainer[BatchMemberGroup]
    links: _containers.RepeatedCompositeFieldContainer[BatchGroupLink]
    def __init__(self, groups: _Optional[_Iterable[_Union[BatchMemberGroup, _Mapping]]] = ..., links: _Optional[_Iterable[_Union[BatchGroupLink, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[BatchFailureGroup, _Mapping]]] = ...) -> None: ...

class InvokeBatchFromStreamRequest(_message.Message):
    __slots__ = ["members", "options"]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[BatchMember]
    options: InvokeBatchRequest
    def __init__(self, options: _Optional[_Union[InvokeBatchRequest, _Mapping]] = ..., members: _Optional[_Iterable[_Union[BatchMember, _Mapping]]] = ...) -> None: ...

class InvokeBatchFromStreamResponse(_message.Message):
    __slots__ = ["batch", "joined"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    joined: bool
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ..., joined: bool = ...) -> None: ...

class InvokeBatchRequest(_message.Message):
    __slots__ = ["invocation_id", "members", "on_member_failure", "supervision"]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    ON_MEMBER_FAILURE_FIELD_NUMBER: _ClassVar[int]
    SUPERVISION_FIELD_NUMBER: _ClassVar[int]
    invocation_id: str
    members: _containers.RepeatedCompositeFieldContainer[BatchMember]
    on_member_failure: MemberFailurePolicy
    supervision: Supervision
    def __init__(self, members: _Optional[_Iterable[_Union[BatchMember, _Mapping]]] = ..., invocation_id: _Optional[str] = ..., on_member_failure: _Optional[_Union[MemberFailurePolicy, str]] = ..., supervision: _Optional[_Union[Supervision, _Mapping]] = ...) -> None: ...

class InvokeBatchResponse(_message.Message):
    __slots__ = ["batch", "execution_ids", "joined"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_IDS_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    execution_ids: _containers.RepeatedScalarFieldContainer[str]
    joined: bool
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ..., joined: bool = ..., execution_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ListBatchMembersRequest(_message.Message):
    __slots__ = ["batch_id", "error_codes", "first_layer", "last_layer", "page_size", "page_token", "statuses", "task_name"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODES_FIELD_NUMBER: _ClassVar[int]
    FIRST_LAYER_FIELD_NUMBER: _ClassVar[int]
    LAST_LAYER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    error_codes: _containers.RepeatedScalarFieldContainer[_function_pb2.ErrorCode]
    first_layer: int
    last_layer: int
    page_size: int
    page_token: str
    statuses: _containers.RepeatedScalarFieldContainer[_function_pb2.ExecutionStatus]
    task_name: str
    def __init__(self, batch_id: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[_function_pb2.ExecutionStatus, str]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., first_layer: _Optional[int] = ..., last_layer: _Optional[int] = ..., task_name: _Optional[str] = ..., error_codes: _Optional[_Iterable[_Union[_function_pb2.ErrorCode, str]]] = ...) -> None: ...

class ListBatchMembersResponse(_message.Message):
    __slots__ = ["members", "next_page_token"]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[BatchMemberState]
    next_page_token: str
    def __init__(self, members: _Optional[_Iterable[_Union[BatchMemberState, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListBatchesRequest(_message.Message):
    __slots__ = ["page_size", "page_token", "supervised"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SUPERVISED_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    supervised: bool
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., supervised: bool = ...) -> None: ...

class ListBatchesResponse(_message.Message):
    __slots__ = ["batches", "next_page_token"]
    BATCHES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    batches: _containers.RepeatedCompositeFieldContainer[Batch]
    next_page_token: str
    def __init__(self, batches: _Optional[_Iterable[_Union[Batch, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Supervision(_message.Message):
    __slots__ = ["backoff", "intensity", "max_backoff", "strategy", "within"]
    BACKOFF_FIELD_NUMBER: _ClassVar[int]
    INTENSITY_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    backoff: _duration_pb2.Duration
    intensity: int
    max_backoff: _duration_pb2.Duration
    strategy: SupervisionStrategy
    within: _duration_pb2.Duration
    def __init__(self, strategy: _Optional[_Union[SupervisionStrategy, str]] = ..., intensity: _Optional[int] = ..., within: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., backoff: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_backoff: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SupervisionState(_message.Message):
    __slots__ = ["backoff", "end_message", "end_reason", "intensity", "max_backoff", "phase", "recent_restarts", "restarts", "strategy", "within"]
    BACKOFF_FIELD_NUMBER: _ClassVar[int]
    END_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    END_REASON_FIELD_NUMBER: _ClassVar[int]
    INTENSITY_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    RECENT_RESTARTS_FIELD_NUMBER: _ClassVar[int]
    RESTARTS_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    backoff: _duration_pb2.Duration
    end_message: str
    end_reason: SupervisionEndReason
    intensity: int
    max_backoff: _duration_pb2.Duration
    phase: SupervisionPhase
    recent_restarts: int
    restarts: int
    strategy: SupervisionStrategy
    within: _duration_pb2.Duration
    def __init__(self, strategy: _Optional[_Union[SupervisionStrategy, str]] = ..., intensity: _Optional[int] = ..., within: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., backoff: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_backoff: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., phase: _Optional[_Union[SupervisionPhase, str]] = ..., recent_restarts: _Optional[int] = ..., restarts: _Optional[int] = ..., end_reason: _Optional[_Union[SupervisionEndReason, str]] = ..., end_message: _Optional[str] = ...) -> None: ...

class WaitBatchRequest(_message.Message):
    __slots__ = ["batch_id", "wait_budget"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    WAIT_BUDGET_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    wait_budget: _duration_pb2.Duration
    def __init__(self, batch_id: _Optional[str] = ..., wait_budget: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WaitBatchResponse(_message.Message):
    __slots__ = ["batch"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    def __init__(self, batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class WatchBatchRequest(_message.Message):
    __slots__ = ["batch_id", "from_sequence"]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    batch_id: str
    from_sequence: int
    def __init__(self, batch_id: _Optional[str] = ..., from_sequence: _Optional[int] = ...) -> None: ...

class WatchBatchResponse(_message.Message):
    __slots__ = ["batch", "member"]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    batch: Batch
    member: BatchMemberState
    def __init__(self, member: _Optional[_Union[BatchMemberState, _Mapping]] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class MemberFailurePolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class SupervisionStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class RestartPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class SupervisionPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class SupervisionEndReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
