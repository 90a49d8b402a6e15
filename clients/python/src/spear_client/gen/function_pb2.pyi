from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from spear_client.gen import gate_pb2 as _gate_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

CACHE_USE_BYPASS: CacheUse
CACHE_USE_HIT: CacheUse
CACHE_USE_MISS: CacheUse
CACHE_USE_SHARED: CacheUse
CACHE_USE_UNSPECIFIED: CacheUse
DEPENDENCY_CONDITION_COMPLETED: DependencyCondition
DEPENDENCY_CONDITION_ENDED: DependencyCondition
DEPENDENCY_CONDITION_UNSPECIFIED: DependencyCondition
DEPENDENCY_POLICY_FAIL: DependencyPolicy
DEPENDENCY_POLICY_RUN_ANYWAY: DependencyPolicy
DEPENDENCY_POLICY_UNSPECIFIED: DependencyPolicy
DESCRIPTOR: _descriptor.FileDescriptor
DRY_RUN_VERDICT_CACHED: DryRunVerdict
DRY_RUN_VERDICT_JOIN: DryRunVerdict
DRY_RUN_VERDICT_START: DryRunVerdict
DRY_RUN_VERDICT_UNSPECIFIED: DryRunVerdict
DRY_RUN_VERDICT_WAIT: DryRunVerdict
END_STATUS_CANCELLED: EndStatus
END_STATUS_COMPLETED: EndStatus
END_STATUS_FAILED: EndStatus
END_STATUS_TIMED_OUT: EndStatus
END_STATUS_UNSPECIFIED: EndStatus
ERROR_CODE_ARTIFACT_UNAVAILABLE: ErrorCode
ERROR_CODE_ATTEMPT_TIMEOUT: ErrorCode
ERROR_CODE_CANCELLED: ErrorCode
ERROR_CODE_CPU_LIMIT: ErrorCode
ERROR_CODE_DEPENDENCY_FAILED: ErrorCode
ERROR_CODE_FUNCTION_ERROR: ErrorCode
ERROR_CODE_FUNCTION_EXIT: ErrorCode
ERROR_CODE_INSTANCE_LOST: ErrorCode
ERROR_CODE_INTERNAL: ErrorCode
ERROR_CODE_INTERRUPTED: ErrorCode
ERROR_CODE_KILL_UNCONFIRMED: ErrorCode
ERROR_CODE_MEMORY_LIMIT: ErrorCode
ERROR_CODE_MOVED: ErrorCode
ERROR_CODE_OUTPUT_LIMIT: ErrorCode
ERROR_CODE_QUEUE_TIMEOUT: ErrorCode
ERROR_CODE_RESULT_TOO_LARGE: ErrorCode
ERROR_CODE_RUNTIME_UNAVAILABLE: ErrorCode
ERROR_CODE_SIGNALED: ErrorCode
ERROR_CODE_SNAPSHOT_INCOMPATIBLE: ErrorCode
ERROR_CODE_START_FAILED: ErrorCode
ERROR_CODE_TOTAL_TIMEOUT: ErrorCode
ERROR_CODE_TRAP: ErrorCode
ERROR_CODE_UNSPECIFIED: ErrorCode
ERROR_ORIGIN_PLATFORM: ErrorOrigin
ERROR_ORIGIN_POLICY: ErrorOrigin
ERROR_ORIGIN_UNSPECIFIED: ErrorOrigin
ERROR_ORIGIN_USER: ErrorOrigin
EXECUTION_MODE_ASYNC: ExecutionMode
EXECUTION_MODE_STREAM: ExecutionMode
EXECUTION_MODE_SYNC: ExecutionMode
EXECUTION_MODE_UNSPECIFIED: ExecutionMode
EXECUTION_STATUS_CANCELLED: ExecutionStatus
EXECUTION_STATUS_COMPLETED: ExecutionStatus
EXECUTION_STATUS_FAILED: ExecutionStatus
EXECUTION_STATUS_PENDING: ExecutionStatus
EXECUTION_STATUS_RUNNING: ExecutionStatus
EXECUTION_STATUS_TIMED_OUT: ExecutionStatus
EXECUTION_STATUS_UNSPECIFIED: ExecutionStatus
OUTPUT_STREAM_STDERR: OutputStream
OUTPUT_STREAM_STDOUT: OutputStream
OUTPUT_STREAM_UNSPECIFIED: OutputStream
PRIORITY_HIGH: Priority
PRIORITY_LOW: Priority
PRIORITY_NORMAL: Priority
PRIORITY_UNSPECIFIED: Priority
PRIORITY_URGENT: Priority

class CancelExecutionRequest(_message.Message):
    __slots__ = ["execution_id", "reason"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    reason: str
    def __init__(self, execution_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CancelExecutionResponse(_message.Message):
    __slots__ = ["changed", "status"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    status: ExecutionStatus
    def __init__(self, changed: bool = ..., status: _Optional[_Union[ExecutionStatus, str]] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ["data", "stream"]
    DATA_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    stream: OutputStream
    def __init__(self, stream: _Optional[_Union[OutputStream, str]] = ..., data: _Optional[bytes] = ...) -> None: ...

class DeleteExecutionRequest(_message.Message):
    __slots__ = ["execution_id"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    def __init__(self, execution_id: _Optional[str] = ...) -> None: ...

class DeleteExecutionResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Dependency(_message.Message):
    __slots__ = ["as_input", "as_parameter", "condition", "execution_id", "name", "on_failure"]
    AS_INPUT_FIELD_NUMBER: _ClassVar[int]
    AS_PARAMETER_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ON_FAILURE_FIELD_NUMBER: _ClassVar[int]
    as_input: bool
    as_parameter: str
    condition: DependencyCondition
    execution_id: str
    name: str
    on_failure: DependencyPolicy
    def __init__(self, execution_id: _Optional[str] = ..., name: _Optional[str] = ..., condition: _Optional[_Union[DependencyCondition, str]] = ..., on_failure: _Optional[_Union[DependencyPolicy, str]] = ..., as_input: bool = ..., as_parameter: _Optional[str] = ...) -> None: ...

class DryRun(_message.Message):
    __slots__ = ["cached_from_execution_id", "details", "ends_in", "gate", "held_by", "joins_execution_id", "queue_length", "queue_place", "starts_in", "summary", "verdict"]
    CACHED_FROM_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    ENDS_IN_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    HELD_BY_FIELD_NUMBER: _ClassVar[int]
    JOINS_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    QUEUE_LENGTH_FIELD_NUMBER: _ClassVar[int]
    QUEUE_PLACE_FIELD_NUMBER: _ClassVar[int]
    STARTS_IN_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    cached_from_execution_id: str
    details: _containers.RepeatedScalarFieldContainer[str]
    ends_in: _duration_pb2.Duration
    gate: _gate_pb2.QueueGate
    held_by: _containers.RepeatedScalarFieldContainer[str]
    joins_execution_id: str
    queue_length: int
    queue_place: int
    starts_in: _duration_pb2.Duration
    summary: str
    verdict: DryRunVerdict
    def __init__(self, verdict: _Optional[_Union[DryRunVerdict, str]] = ..., summary: _Optional[str] = ..., details: _Optional[_Iterable[str]] = ..., queue_place: _Optional[int] = ..., queue_length: _Optional[int] = ..., held_by: _Optional[_Iterable[str]] = ..., gate: _Optional[_Union[_gate_pb2.QueueGate, _Mapping]] = ..., starts_in: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., ends_in: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., joins_execution_id: _Optional[str] = ..., cached_from_execution_id: _Optional[str] = ...) -> None: ...

class EndWebhook(_message.Message):
    __slots__ = ["secret", "statuses", "url"]
    SECRET_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    secret: str
    statuses: _containers.RepeatedScalarFieldContainer[EndStatus]
    url: str
    def __init__(self, url: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[EndStatus, str]]] = ..., secret: _Optional[str] = ...) -> None: ...

class ExecutionResult(_message.Message):
    __slots__ = ["alias", "allowed_events", "attempt", "batch_id", "cache_use", "cached_at", "cached_from_execution_id", "completed_at", "content_type", "created_at", "depends_on", "error_code", "error_message", "error_origin", "error_output", "execution_id", "execution_time_ms", "exit_code", "fairness_key", "function_name", "instance_id", "is_async", "is_completed", "labels", "loosened", "metadata", "mode", "oldest_sequence", "origin_execution_id", "output", "output_bytes", "output_truncated", "priority", "queue_time_ms", "recoveries", "request_id", "rerun_id", "rerun_of_execution_id", "resource_use", "schedule", "started_at", "state", "status", "task_id", "task_name", "task_revision", "tenant", "termination", "timestamp", "trace_id", "webhooks"]
    class LabelsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    CACHED_AT_FIELD_NUMBER: _ClassVar[int]
    CACHED_FROM_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    CACHE_USE_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_AT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    ERROR_CODE_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ERROR_ORIGIN_FIELD_NUMBER: _ClassVar[int]
    ERROR_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    EXIT_CODE_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    IS_ASYNC_FIELD_NUMBER: _ClassVar[int]
    IS_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LOOSENED_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    OLDEST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TRUNCATED_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    QUEUE_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    RECOVERIES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RERUN_ID_FIELD_NUMBER: _ClassVar[int]
    RERUN_OF_EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_USE_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    TASK_REVISION_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    TERMINATION_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    TRACE_ID_FIELD_NUMBER: _ClassVar[int]
    WEBHOOKS_FIELD_NUMBER: _ClassVar[int]
    alias: str
    allowed_events: _containers.RepeatedScalarFieldContainer[str]
    attempt: int
    batch_id: str
    cache_use: CacheUse
    cached_at: _timestamp_pb2.Timestamp
    cached_from_execution_id: str
    completed_at: _timestamp_pb2.Timestamp
    content_type: str
    created_at: _timestamp_pb2.Timestamp
    depends_on: _containers.RepeatedCompositeFieldContainer[Dependency]
    error_code: ErrorCode
    error_message: str
    error_origin: ErrorOrigin
    error_output: bytes
    execution_id: str
    execution_time_ms: float
    exit_code: int
    fairness_key: str
    function_name: str
    instance_id: str
    is_async: bool
    is_completed: bool
    labels: _containers.ScalarMap[str, str]
    loosened: _containers.RepeatedScalarFieldContainer[str]
    metadata: _containers.ScalarMap[str, str]
    mode: ExecutionMode
    oldest_sequence: int
    origin_execution_id: str
    output: bytes
    output_bytes: int
    output_truncated: bool
    priority: Priority
    queue_time_ms: int
    recoveries: int
    request_id: str
    rerun_id: str
    rerun_of_execution_id: str
    resource_use: ResourceUse
    schedule: str
    started_at: _timestamp_pb2.Timestamp
    state: str
    status: ExecutionStatus
    task_id: str
    task_name: str
    task_revision: int
    tenant: str
    termination: Termination
    timestamp: _timestamp_pb2.Timestamp
    trace_id: str
    webhooks: int
    def __init__(self, status: _Optional[_Union[ExecutionStatus, str]] = ..., state: _Optional[str] = ..., mode: _Optional[_Union[ExecutionMode, str]] = ..., is_async: bool = ..., is_completed: bool = ..., output: _Optional[bytes] = ..., content_type: _Optional[str] = ..., error_output: _Optional[bytes] = ..., output_bytes: _Optional[int] = ..., output_truncated: bool = ..., exit_code: _Optional[int] = ..., error_code: _Optional[_Union[ErrorCode, str]] = ..., error_origin: _Optional[_Union[ErrorOrigin, str]] = ..., error_message: _Optional[str] = ..., attempt: _Optional[int] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., started_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., completed_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., queue_time_ms: _Optional[int] = ..., execution_time_ms: _Optional[float] = ..., request_id: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., timestamp: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., allowed_events: _Optional[_Iterable[str]] = ..., resource_use: _Optional[_Union[ResourceUse, _Mapping]] = ..., execution_id: _Optional[str] = ..., task_id: _Optional[str] = ..., task_name: _Optional[str] = ..., task_revision: _Optional[int] = ..., function_name: _Optional[str] = ..., instance_id: _Optional[str] = ..., termination: _Optional[_Union[Termination, _Mapping]] = ..., loosened: _Optional[_Iterable[str]] = ..., recoveries: _Optional[int] = ..., oldest_sequence: _Optional[int] = ..., origin_execution_id: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., tenant: _Optional[str] = ..., priority: _Optional[_Union[Priority, str]] = ..., fairness_key: _Optional[str] = ..., trace_id: _Optional[str] = ..., schedule: _Optional[str] = ..., depends_on: _Optional[_Iterable[_Union[Dependency, _Mapping]]] = ..., batch_id: _Optional[str] = ..., cached_from_execution_id: _Optional[str] = ..., cached_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., cache_use: _Optional[_Union[CacheUse, str]] = ..., webhooks: _Optional[int] = ..., alias: _Optional[str] = ..., rerun_of_execution_id: _Optional[str] = ..., rerun_id: _Optional[str] = ...) -> None: ...

class GetExecutionStatusRequest(_message.Message):
    __slots__ = ["execution_id", "include_output", "max_inline_bytes"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    MAX_INLINE_BYTES_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    include_output: bool
    max_inline_bytes: int
    def __init__(self, execution_id: _Optional[str] = ..., include_output: bool = ..., max_inline_bytes: _Optional[int] = ...) -> None: ...

class GetExecutionStatusResponse(_message.Message):
    __slots__ = ["dependants", "dependencies", "estimated_completion_ms", "last_sequence", "node", "result", "status_endpoint"]
    DEPENDANTS_FIELD_NUMBER: _ClassVar[int]
    DEPENDENCIES_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_COMPLETION_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NODE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    STATUS_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    dependants: _containers.RepeatedCompositeFieldContainer[RelatedExecution]
    dependencies: _containers.RepeatedCompositeFieldContainer[RelatedExecution]
    estimated_completion_ms: int
    last_sequence: int
    node: str
    result: ExecutionResult
    status_endpoint: str
    def __init__(self, result: _Optional[_Union[ExecutionResult, _Mapping]] = ..., status_endpoint: _Optional[str] = ..., estimated_completion_ms: _Optional[int] = ..., last_sequence: _Optional[int] = ..., dependencies: _Optional[_Iterable[_Union[RelatedExecution, _Mapping]]] = ..., dependants: _Optional[_Iterable[_Union[RelatedExecution, _Mapping]]] = ..., node: _Optional[str] = ...) -> None: ...

class InvokeFunctionRequest(_message.Message):
    __slots__ = ["args", "bypass_cache", "cancel_on_disconnect", "content_type", "depends_on", "dry_run", "environment", "execution_mode", "fairness_key", "force_new_instance", "function_name", "input", "invocation_id", "labels", "max_inline_bytes", "metadata", "on_end", "parameters", "priority", "refuse_if_late", "start_after", "task", "timeouts", "wait_budget"]
    class EnvironmentEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class LabelsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class ParametersEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _struct_pb2.Value
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ...) -> None: ...
    ARGS_FIELD_NUMBER: _ClassVar[int]
    BYPASS_CACHE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ON_DISCONNECT_FIELD_NUMBER: _ClassVar[int]
    CONTENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DEPENDS_ON_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_MODE_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    FORCE_NEW_INSTANCE_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_NAME_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_ID_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    MAX_INLINE_BYTES_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    ON_END_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    REFUSE_IF_LATE_FIELD_NUMBER: _ClassVar[int]
    START_AFTER_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_FIELD_NUMBER: _ClassVar[int]
    WAIT_BUDGET_FIELD_NUMBER: _ClassVar[int]
    args: _containers.RepeatedScalarFieldContainer[str]
    bypass_cache: bool
    cancel_on_disconnect: bool
    content_type: str
    depends_on: _containers.RepeatedCompositeFieldContainer[Dependency]
    dry_run: bool
    environment: _containers.ScalarMap[str, str]
    execution_mode: ExecutionMode
    fairness_key: str
    force_new_instance: bool
    function_name: str
    input: bytes
    invocation_id: str
    labels: _containers.ScalarMap[str, str]
    max_inline_bytes: int
    metadata: _containers.ScalarMap[str, str]
    on_end: _containers.RepeatedCompositeFieldContainer[EndWebhook]
    parameters: _containers.MessageMap[str, _struct_pb2.Value]
    priority: Priority
    refuse_if_late: bool
    start_after: _duration_pb2.Duration
    task: str
    timeouts: Timeouts
    wait_budget: _duration_pb2.Duration
    def __init__(self, task: _Optional[str] = ..., function_name: _Optional[str] = ..., parameters: _Optional[_Mapping[str, _struct_pb2.Value]] = ..., input: _Optional[bytes] = ..., content_type: _Optional[str] = ..., execution_mode: _Optional[_Union[ExecutionMode, str]] = ..., args: _Optional[_Iterable[str]] = ..., environment: _Optional[_Mapping[str, str]] = ..., timeouts: _Optional[_Union[Timeouts, _Mapping]] = ..., wait_budget: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., start_after: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., invocation_id: _Optional[str] = ..., cancel_on_disconnect: bool = ..., force_new_instance: bool = ..., max_inline_bytes: _Optional[int] = ..., metadata: _Optional[_Mapping[str, str]] = ..., labels: _Optional[_Mapping[str, str]] = ..., priority: _Optional[_Union[Priority, str]] = ..., fairness_key: _Optional[str] = ..., refuse_if_late: bool = ..., dry_run: bool = ..., depends_on: _Optional[_Iterable[_Union[Dependency, _Mapping]]] = ..., bypass_cache: bool = ..., on_end: _Optional[_Iterable[_Union[EndWebhook, _Mapping]]] = ...) -> None: ...

class InvokeFunctionResponse(_message.Message):
    __slots__ = ["dry_run", "estimated_completion_ms", "execution_id", "instance_id", "joined", "last_sequence", "message", "result", "status_endpoint", "success", "task_id"]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_COMPLETION_MS_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_ID_FIELD_NUMBER: _ClassVar[int]
    JOINED_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    STATUS_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    SUCCESS_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    dry_run: DryRun
    estimated_completion_ms: int
    execution_id: str
    instance_id: str
    joined: bool
    last_sequence: int
    message: str
    result: ExecutionResult
    status_endpoint: str
    success: bool
    task_id: str
    def __init__(self, success: bool = ..., message: _Optional[str] = ..., execution_id: _Optional[str] = ..., task_id: _Optional[str] = ..., instance_id: _Optional[str] = ..., result: _Optional[_Union[ExecutionResult, _Mapping]] = ..., status_endpoint: _Optional[str] = ..., estimated_completion_ms: _Optional[int] = ..., last_sequence: _Optional[int] = ..., joined: bool = ..., dry_run: _Optional[_Union[DryRun, _Mapping]] = ...) -> None: ...

class ListExecutionsRequest(_message.Message):
    __slots__ = ["all_tenants", "batch_id", "created_after", "created_before", "labels", "page_size", "page_token", "schedule", "statuses", "task"]
    class LabelsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ALL_TENANTS_FIELD_NUMBER: _ClassVar[int]
    BATCH_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_AFTER_FIELD_NUMBER: _ClassVar[int]
    CREATED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    all_tenants: bool
    batch_id: str
    created_after: _timestamp_pb2.Timestamp
    created_before: _timestamp_pb2.Timestamp
    labels: _containers.ScalarMap[str, str]
    page_size: int
    page_token: str
    schedule: str
    statuses: _containers.RepeatedScalarFieldContainer[ExecutionStatus]
    task: str
    def __init__(self, task: _Optional[str] = ..., statuses: _Optional[_Iterable[_Union[ExecutionStatus, str]]] = ..., created_after: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., created_before: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ..., all_tenants: bool = ..., batch_id: _Optional[str] = ..., schedule: _Optional[str] = ...) -> None: ...

class ListExecutionsResponse(_message.Message):
    __slots__ = ["executions", "next_page_token"]
    EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    executions: _containers.RepeatedCompositeFieldContainer[ExecutionResult]
    next_page_token: str
    def __init__(self, executions: _Optional[_Iterable[_Union[ExecutionResult, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class NetworkRefusal(_message.Message):
    __slots__ = ["address", "host", "more", "port", "rule"]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    HOST_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    address: str
    host: str
    more: int
    port: int
    rule: str
    def __init__(self, host: _Optional[str] = ..., port: _Optional[int] = ..., address: _Optional[str] = ..., rule: _Optional[str] = ..., more: _Optional[int] = ...) -> None: ...

class RelatedExecution(_message.Message):
    __slots__ = ["dependency", "execution_id", "state", "status", "task_name"]
    DEPENDENCY_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TASK_NAME_FIELD_NUMBER: _ClassVar[int]
    dependency: Dependency
    execution_id: str
    state: str
    status: ExecutionStatus
    task_name: str
    def __init__(self, execution_id: _Optional[str] = ..., task_name: _Optional[str] = ..., state: _Optional[str] = ..., status: _Optional[_Union[ExecutionStatus, str]] = ..., dependency: _Optional[_Union[Dependency, _Mapping]] = ...) -> None: ...

class ResourceUse(_message.Message):
    __slots__ = ["cpu_time_us", "dropped_bytes", "peak_memory_bytes"]
    CPU_TIME_US_FIELD_NUMBER: _ClassVar[int]
    DROPPED_BYTES_FIELD_NUMBER: _ClassVar[int]
    PEAK_MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    cpu_time_us: int
    dropped_bytes: int
    peak_memory_bytes: int
    def __init__(self, cpu_time_us: _Optional[int] = ..., peak_memory_bytes: _Optional[int] = ..., dropped_bytes: _Optional[int] = ...) -> None: ...

class ResumeExecutionRequest(_message.Message):
    __slots__ = ["execution_id"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    def __init__(self, execution_id: _Optional[str] = ...) -> None: ...

class ResumeExecutionResponse(_message.Message):
    __slots__ = ["changed", "state", "status"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    state: str
    status: ExecutionStatus
    def __init__(self, changed: bool = ..., status: _Optional[_Union[ExecutionStatus, str]] = ..., state: _Optional[str] = ...) -> None: ...

class StreamExecutionResult(_message.Message):
    __slots__ = ["attempt", "chunk", "execution_id", "is_final", "position", "principal", "refusal", "result", "sequence", "status", "time", "transition"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    IS_FINAL_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    TRANSITION_FIELD_NUMBER: _ClassVar[int]
    attempt: int
    chunk: Chunk
    execution_id: str
    is_final: bool
    position: int
    principal: str
    refusal: NetworkRefusal
    result: ExecutionResult
    sequence: int
    status: ExecutionStatus
    time: _timestamp_pb2.Timestamp
    transition: Transition
    def __init__(self, execution_id: _Optional[str] = ..., sequence: _Optional[int] = ..., position: _Optional[int] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., status: _Optional[_Union[ExecutionStatus, str]] = ..., attempt: _Optional[int] = ..., is_final: bool = ..., transition: _Optional[_Union[Transition, _Mapping]] = ..., chunk: _Optional[_Union[Chunk, _Mapping]] = ..., result: _Optional[_Union[ExecutionResult, _Mapping]] = ..., refusal: _Optional[_Union[NetworkRefusal, _Mapping]] = ..., principal: _Optional[str] = ...) -> None: ...

class SuspendExecutionRequest(_message.Message):
    __slots__ = ["execution_id"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    def __init__(self, execution_id: _Optional[str] = ...) -> None: ...

class SuspendExecutionResponse(_message.Message):
    __slots__ = ["changed", "state", "status"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    state: str
    status: ExecutionStatus
    def __init__(self, changed: bool = ..., status: _Optional[_Union[ExecutionStatus, str]] = ..., state: _Optional[str] = ...) -> None: ...

class Termination(_message.Message):
    __slots__ = ["rung", "took_ms"]
    RUNG_FIELD_NUMBER: _ClassVar[int]
    TOOK_MS_FIELD_NUMBER: _ClassVar[int]
    rung: str
    took_ms: int
    def __init__(self, rung: _Optional[str] = ..., took_ms: _Optional[int] = ...) -> None: ...

class Timeouts(_message.Message):
    __slots__ = ["attempt", "queue", "total"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    attempt: _duration_pb2.Duration
    queue: _duration_pb2.Duration
    total: _duration_pb2.Duration
    def __init__(self, queue: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., attempt: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Transition(_message.Message):
    __slots__ = ["chart_version", "context_patch", "event_type", "reason_code", "to"]
    CHART_VERSION_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_PATCH_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    REASON_CODE_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    chart_version: int
    context_patch: str
    event_type: str
    reason_code: str
    to: str
    def __init__(self, to: _Optional[str] = ..., event_type: _Optional[str] = ..., reason_code: _Optional[str] = ..., context_patch: _Optional[str] = ..., chart_version: _Optional[int] = ..., **kwargs) -> None: ...

class WaitExecutionRequest(_message.Message):
    __slots__ = ["execution_id", "max_inline_bytes", "wait_budget"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_INLINE_BYTES_FIELD_NUMBER: _ClassVar[int]
    WAIT_BUDGET_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    max_inline_bytes: int
    wait_budget: _duration_pb2.Duration
    def __init__(self, execution_id: _Optional[str] = ..., wait_budget: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_inline_bytes: _Optional[int] = ...) -> None: ...

class WaitExecutionResponse(_message.Message):
    __slots__ = ["estimated_completion_ms", "last_sequence", "result", "status_endpoint"]
    ESTIMATED_COMPLETION_MS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    STATUS_ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    estimated_completion_ms: int
    last_sequence: int
    result: ExecutionResult
    status_endpoint: str
    def __init__(self, result: _Optional[_Union[ExecutionResult, _Mapping]] = ..., status_endpoint: _Optional[str] = ..., estimated_completion_ms: _Optional[int] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class WatchExecutionRequest(_message.Message):
    __slots__ = ["execution_id", "from_sequence"]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    execution_id: str
    from_sequence: int
    def __init__(self, execution_id: _Optional[str] = ..., from_sequence: _Optional[int] = ...) -> None: ...

class ExecutionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ExecutionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ErrorCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class ErrorOrigin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class EndStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DependencyCondition(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DependencyPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class DryRunVerdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class CacheUse(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class OutputStream(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
