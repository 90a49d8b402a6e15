from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from spear_client.gen import function_pb2 as _function_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
INSTANCE_POLICY_FRESH: InstancePolicy
INSTANCE_POLICY_REUSED: InstancePolicy
INSTANCE_POLICY_UNSPECIFIED: InstancePolicy
INTERRUPT_POLICY_FAIL: InterruptPolicy
INTERRUPT_POLICY_REATTACH_OR_FAIL: InterruptPolicy
INTERRUPT_POLICY_REATTACH_OR_RERUN: InterruptPolicy
INTERRUPT_POLICY_RERUN: InterruptPolicy
INTERRUPT_POLICY_UNSPECIFIED: InterruptPolicy
ON_EXHAUSTED_FAIL: OnExhausted
ON_EXHAUSTED_HOLD: OnExhausted
ON_EXHAUSTED_UNSPECIFIED: OnExhausted
PULL_POLICY_ALWAYS: PullPolicy
PULL_POLICY_MISSING: PullPolicy
PULL_POLICY_NEVER: PullPolicy
PULL_POLICY_UNSPECIFIED: PullPolicy
RUNTIME_KIND_DOCKER: RuntimeKind
RUNTIME_KIND_PROCESS: RuntimeKind
RUNTIME_KIND_UNSPECIFIED: RuntimeKind
RUNTIME_KIND_WASM: RuntimeKind
TIMER_POLICY_ABSOLUTE: TimerPolicy
TIMER_POLICY_ANEW: TimerPolicy
TIMER_POLICY_REMAINING: TimerPolicy
TIMER_POLICY_UNSPECIFIED: TimerPolicy
WHEN_FULL_CANCEL_RUNNING: WhenFull
WHEN_FULL_QUEUE: WhenFull
WHEN_FULL_REFUSE: WhenFull
WHEN_FULL_REPLACE_PENDING: WhenFull
WHEN_FULL_UNSPECIFIED: WhenFull
WHEN_QUARANTINED_REFUSE: WhenQuarantined
WHEN_QUARANTINED_UNSPECIFIED: WhenQuarantined
WHEN_QUARANTINED_WAIT: WhenQuarantined

class AliasMove(_message.Message):
    __slots__ = ["principal", "shares", "time"]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    principal: str
    shares: _containers.RepeatedCompositeFieldContainer[AliasShare]
    time: _timestamp_pb2.Timestamp
    def __init__(self, shares: _Optional[_Iterable[_Union[AliasShare, _Mapping]]] = ..., time: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., principal: _Optional[str] = ...) -> None: ...

class AliasShare(_message.Message):
    __slots__ = ["percent", "revision"]
    PERCENT_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    percent: int
    revision: int
    def __init__(self, revision: _Optional[int] = ..., percent: _Optional[int] = ...) -> None: ...

class Artifact(_message.Message):
    __slots__ = ["content", "image", "path", "sha256", "size_bytes", "url"]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    content: bytes
    image: str
    path: str
    sha256: str
    size_bytes: int
    url: str
    def __init__(self, content: _Optional[bytes] = ..., path: _Optional[str] = ..., image: _Optional[str] = ..., url: _Optional[str] = ..., sha256: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class ArtifactProgress(_message.Message):
    __slots__ = ["done_bytes", "part", "status", "total_bytes"]
    DONE_BYTES_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_BYTES_FIELD_NUMBER: _ClassVar[int]
    done_bytes: int
    part: str
    status: str
    total_bytes: int
    def __init__(self, part: _Optional[str] = ..., status: _Optional[str] = ..., done_bytes: _Optional[int] = ..., total_bytes: _Optional[int] = ...) -> None: ...

class CachePolicy(_message.Message):
    __slots__ = ["insist", "max_bytes", "ttl"]
    INSIST_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    TTL_FIELD_NUMBER: _ClassVar[int]
    insist: bool
    max_bytes: int
    ttl: _duration_pb2.Duration
    def __init__(self, ttl: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_bytes: _Optional[int] = ..., insist: bool = ...) -> None: ...

class CacheSavings(_message.Message):
    __slots__ = ["bytes", "entries", "hits", "misses", "saved_cpu_time", "saved_time", "shared"]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    MISSES_FIELD_NUMBER: _ClassVar[int]
    SAVED_CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    SAVED_TIME_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    bytes: int
    entries: int
    hits: int
    misses: int
    saved_cpu_time: _duration_pb2.Duration
    saved_time: _duration_pb2.Duration
    shared: int
    def __init__(self, hits: _Optional[int] = ..., misses: _Optional[int] = ..., shared: _Optional[int] = ..., saved_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., saved_cpu_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., entries: _Optional[int] = ..., bytes: _Optional[int] = ...) -> None: ...

class ConcurrencyLimit(_message.Message):
    __slots__ = ["key", "limit", "when_full"]
    KEY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    WHEN_FULL_FIELD_NUMBER: _ClassVar[int]
    key: str
    limit: int
    when_full: WhenFull
    def __init__(self, key: _Optional[str] = ..., limit: _Optional[int] = ..., when_full: _Optional[_Union[WhenFull, str]] = ...) -> None: ...

class ContainerSettings(_message.Message):
    __slots__ = ["allow_new_privileges", "capabilities", "command", "network", "pull", "tmpfs_size", "writable_root"]
    ALLOW_NEW_PRIVILEGES_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    PULL_FIELD_NUMBER: _ClassVar[int]
    TMPFS_SIZE_FIELD_NUMBER: _ClassVar[int]
    WRITABLE_ROOT_FIELD_NUMBER: _ClassVar[int]
    allow_new_privileges: bool
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    command: _containers.RepeatedScalarFieldContainer[str]
    network: str
    pull: PullPolicy
    tmpfs_size: int
    writable_root: bool
    def __init__(self, command: _Optional[_Iterable[str]] = ..., pull: _Optional[_Union[PullPolicy, str]] = ..., network: _Optional[str] = ..., writable_root: bool = ..., capabilities: _Optional[_Iterable[str]] = ..., tmpfs_size: _Optional[int] = ..., allow_new_privileges: bool = ...) -> None: ...

class DeleteTaskRequest(_message.Message):
    __slots__ = ["cancel_executions", "task"]
    CANCEL_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    cancel_executions: bool
    task: str
    def __init__(self, task: _Optional[str] = ..., cancel_executions: bool = ...) -> None: ...

class DeleteTaskResponse(_message.Message):
    __slots__ = ["cancelled_executions", "task_id"]
    CANCELLED_EXECUTIONS_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    cancelled_executions: int
    task_id: str
    def __init__(self, task_id: _Optional[str] = ..., cancelled_executions: _Optional[int] = ...) -> None: ...

class FunctionParameter(_message.Message):
    __slots__ = ["name", "type"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ...) -> None: ...

class FunctionSignature(_message.Message):
    __slots__ = ["callable", "name", "parameters", "reason", "result"]
    CALLABLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    callable: bool
    name: str
    parameters: _containers.RepeatedCompositeFieldContainer[FunctionParameter]
    reason: str
    result: str
    def __init__(self, name: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[FunctionParameter, _Mapping]]] = ..., result: _Optional[str] = ..., callable: bool = ..., reason: _Optional[str] = ...) -> None: ...

class GetTaskRequest(_message.Message):
    __slots__ = ["task"]
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: str
    def __init__(self, task: _Optional[str] = ...) -> None: ...

class GetTaskResponse(_message.Message):
    __slots__ = ["task"]
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: Task
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ["cpu", "cpu_time", "file_size", "max_output_bytes", "max_output_events", "memory", "open_files", "processes"]
    CPU_FIELD_NUMBER: _ClassVar[int]
    CPU_TIME_FIELD_NUMBER: _ClassVar[int]
    FILE_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_FIELD_NUMBER: _ClassVar[int]
    OPEN_FILES_FIELD_NUMBER: _ClassVar[int]
    PROCESSES_FIELD_NUMBER: _ClassVar[int]
    cpu: float
    cpu_time: _duration_pb2.Duration
    file_size: int
    max_output_bytes: int
    max_output_events: int
    memory: int
    open_files: int
    processes: int
    def __init__(self, memory: _Optional[int] = ..., max_output_bytes: _Optional[int] = ..., max_output_events: _Optional[int] = ..., cpu: _Optional[float] = ..., cpu_time: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., processes: _Optional[int] = ..., open_files: _Optional[int] = ..., file_size: _Optional[int] = ...) -> None: ...

class ListTasksRequest(_message.Message):
    __slots__ = ["labels", "page_size", "page_token"]
    class LabelsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    LABELS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    labels: _containers.ScalarMap[str, str]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., labels: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ListTasksResponse(_message.Message):
    __slots__ = ["next_page_token", "tasks"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TASKS_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    tasks: _containers.RepeatedCompositeFieldContainer[Task]
    def __init__(self, tasks: _Optional[_Iterable[_Union[Task, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RateLimit(_message.Message):
    __slots__ = ["burst", "key", "per", "units"]
    BURST_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    burst: int
    key: str
    per: _duration_pb2.Duration
    units: int
    def __init__(self, key: _Optional[str] = ..., units: _Optional[int] = ..., per: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., burst: _Optional[int] = ...) -> None: ...

class RegisterTaskRequest(_message.Message):
    __slots__ = ["definition", "if_absent"]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    IF_ABSENT_FIELD_NUMBER: _ClassVar[int]
    definition: TaskDefinition
    if_absent: bool
    def __init__(self, definition: _Optional[_Union[TaskDefinition, _Mapping]] = ..., if_absent: bool = ...) -> None: ...

class RegisterTaskResponse(_message.Message):
    __slots__ = ["changed", "task"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    task: Task
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ..., changed: bool = ...) -> None: ...

class RegisterTaskWithProgressRequest(_message.Message):
    __slots__ = ["definition", "if_absent"]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    IF_ABSENT_FIELD_NUMBER: _ClassVar[int]
    definition: TaskDefinition
    if_absent: bool
    def __init__(self, definition: _Optional[_Union[TaskDefinition, _Mapping]] = ..., if_absent: bool = ...) -> None: ...

class RegisterTaskWithProgressResponse(_message.Message):
    __slots__ = ["progress", "registered"]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_FIELD_NUMBER: _ClassVar[int]
    progress: ArtifactProgress
    registered: RegisterTaskResponse
    def __init__(self, progress: _Optional[_Union[ArtifactProgress, _Mapping]] = ..., registered: _Optional[_Union[RegisterTaskResponse, _Mapping]] = ...) -> None: ...

class ResetTaskRequest(_message.Message):
    __slots__ = ["task"]
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: str
    def __init__(self, task: _Optional[str] = ...) -> None: ...

class ResetTaskResponse(_message.Message):
    __slots__ = ["changed", "task"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    task: Task
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ..., changed: bool = ...) -> None: ...

class RestartIntensity(_message.Message):
    __slots__ = ["failures", "when_quarantined", "within"]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    WHEN_QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    WITHIN_FIELD_NUMBER: _ClassVar[int]
    failures: int
    when_quarantined: WhenQuarantined
    within: _duration_pb2.Duration
    def __init__(self, failures: _Optional[int] = ..., within: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., when_quarantined: _Optional[_Union[WhenQuarantined, str]] = ...) -> None: ...

class RetryPolicy(_message.Message):
    __slots__ = ["budget", "factor", "initial", "jitter", "max", "max_attempts", "on", "on_exhausted"]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    ON_EXHAUSTED_FIELD_NUMBER: _ClassVar[int]
    ON_FIELD_NUMBER: _ClassVar[int]
    budget: float
    factor: float
    initial: _duration_pb2.Duration
    jitter: float
    max: _duration_pb2.Duration
    max_attempts: int
    on: _containers.RepeatedScalarFieldContainer[_function_pb2.ErrorCode]
    on_exhausted: OnExhausted
    def __init__(self, max_attempts: _Optional[int] = ..., initial: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., factor: _Optional[float] = ..., max: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., jitter: _Optional[float] = ..., on: _Optional[_Iterable[_Union[_function_pb2.ErrorCode, str]]] = ..., budget: _Optional[float] = ..., on_exhausted: _Optional[_Union[OnExhausted, str]] = ...) -> None: ...

class Task(_message.Message):
    __slots__ = ["aliases", "cache_savings", "created_at", "definition", "functions", "loosened", "quarantine", "revision", "task_id", "tenant", "updated_at", "wit"]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    CACHE_SAVINGS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    LOOSENED_FIELD_NUMBER: _ClassVar[int]
    QUARANTINE_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    WIT_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[TaskAlias]
    cache_savings: CacheSavings
    created_at: _timestamp_pb2.Timestamp
    definition: TaskDefinition
    functions: _containers.RepeatedCompositeFieldContainer[FunctionSignature]
    loosened: _containers.RepeatedScalarFieldContainer[str]
    quarantine: TaskQuarantine
    revision: int
    task_id: str
    tenant: str
    updated_at: _timestamp_pb2.Timestamp
    wit: str
    def __init__(self, task_id: _Optional[str] = ..., revision: _Optional[int] = ..., definition: _Optional[_Union[TaskDefinition, _Mapping]] = ..., functions: _Optional[_Iterable[_Union[FunctionSignature, _Mapping]]] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., wit: _Optional[str] = ..., loosened: _Optional[_Iterable[str]] = ..., tenant: _Optional[str] = ..., quarantine: _Optional[_Union[TaskQuarantine, _Mapping]] = ..., cache_savings: _Optional[_Union[CacheSavings, _Mapping]] = ..., aliases: _Optional[_Iterable[_Union[TaskAlias, _Mapping]]] = ...) -> None: ...

class TaskAlias(_message.Message):
    __slots__ = ["moves", "name", "shares", "version"]
    MOVES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    moves: _containers.RepeatedCompositeFieldContainer[AliasMove]
    name: str
    shares: _containers.RepeatedCompositeFieldContainer[AliasShare]
    version: int
    def __init__(self, name: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[AliasShare, _Mapping]]] = ..., version: _Optional[int] = ..., moves: _Optional[_Iterable[_Union[AliasMove, _Mapping]]] = ...) -> None: ...

class TaskDefinition(_message.Message):
    __slots__ = ["allow_network", "args", "artifact", "cache", "concurrency", "container", "description", "environment", "fairness_key", "grace", "instance_policy", "labels", "limits", "max_recoveries", "name", "network", "on_end", "on_interrupt", "preopens", "priority", "rate", "restart_intensity", "retry", "runs_on", "runtime", "secrets", "timeouts", "timers", "user", "warm", "working_directory"]
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
    class PreopensEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class RunsOnEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    class SecretsEntry(_message.Message):
        __slots__ = ["key", "value"]
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ALLOW_NETWORK_FIELD_NUMBER: _ClassVar[int]
    ARGS_FIELD_NUMBER: _ClassVar[int]
    ARTIFACT_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    CONTAINER_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_FIELD_NUMBER: _ClassVar[int]
    FAIRNESS_KEY_FIELD_NUMBER: _ClassVar[int]
    GRACE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_POLICY_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    MAX_RECOVERIES_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    NETWORK_FIELD_NUMBER: _ClassVar[int]
    ON_END_FIELD_NUMBER: _ClassVar[int]
    ON_INTERRUPT_FIELD_NUMBER: _ClassVar[int]
    PREOPENS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    RESTART_INTENSITY_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    RUNS_ON_FIELD_NUMBER: _ClassVar[int]
    RUNTIME_FIELD_NUMBER: _ClassVar[int]
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUTS_FIELD_NUMBER: _ClassVar[int]
    TIMERS_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    WARM_FIELD_NUMBER: _ClassVar[int]
    WORKING_DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    allow_network: bool
    args: _containers.RepeatedScalarFieldContainer[str]
    artifact: Artifact
    cache: CachePolicy
    concurrency: _containers.RepeatedCompositeFieldContainer[ConcurrencyLimit]
    container: ContainerSettings
    description: str
    environment: _containers.ScalarMap[str, str]
    fairness_key: str
    grace: _duration_pb2.Duration
    instance_policy: InstancePolicy
    labels: _containers.ScalarMap[str, str]
    limits: Limits
    max_recoveries: int
    name: str
    network: _containers.RepeatedScalarFieldContainer[str]
    on_end: _containers.RepeatedCompositeFieldContainer[_function_pb2.EndWebhook]
    on_interrupt: InterruptPolicy
    preopens: _containers.ScalarMap[str, str]
    priority: _function_pb2.Priority
    rate: _containers.RepeatedCompositeFieldContainer[RateLimit]
    restart_intensity: RestartIntensity
    retry: RetryPolicy
    runs_on: _containers.ScalarMap[str, str]
    runtime: RuntimeKind
    secrets: _containers.ScalarMap[str, str]
    timeouts: _function_pb2.Timeouts
    timers: TimerPolicies
    user: str
    warm: WarmPolicy
    working_directory: str
    def __init__(self, name: _Optional[str] = ..., runtime: _Optional[_Union[RuntimeKind, str]] = ..., artifact: _Optional[_Union[Artifact, _Mapping]] = ..., args: _Optional[_Iterable[str]] = ..., environment: _Optional[_Mapping[str, str]] = ..., preopens: _Optional[_Mapping[str, str]] = ..., allow_network: bool = ..., timeouts: _Optional[_Union[_function_pb2.Timeouts, _Mapping]] = ..., grace: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., retry: _Optional[_Union[RetryPolicy, _Mapping]] = ..., instance_policy: _Optional[_Union[InstancePolicy, str]] = ..., description: _Optional[str] = ..., user: _Optional[str] = ..., working_directory: _Optional[str] = ..., container: _Optional[_Union[ContainerSettings, _Mapping]] = ..., warm: _Optional[_Union[WarmPolicy, _Mapping]] = ..., on_interrupt: _Optional[_Union[InterruptPolicy, str]] = ..., max_recoveries: _Optional[int] = ..., timers: _Optional[_Union[TimerPolicies, _Mapping]] = ..., labels: _Optional[_Mapping[str, str]] = ..., network: _Optional[_Iterable[str]] = ..., secrets: _Optional[_Mapping[str, str]] = ..., priority: _Optional[_Union[_function_pb2.Priority, str]] = ..., fairness_key: _Optional[str] = ..., concurrency: _Optional[_Iterable[_Union[ConcurrencyLimit, _Mapping]]] = ..., rate: _Optional[_Iterable[_Union[RateLimit, _Mapping]]] = ..., restart_intensity: _Optional[_Union[RestartIntensity, _Mapping]] = ..., cache: _Optional[_Union[CachePolicy, _Mapping]] = ..., on_end: _Optional[_Iterable[_Union[_function_pb2.EndWebhook, _Mapping]]] = ..., runs_on: _Optional[_Mapping[str, str]] = ...) -> None: ...

class TaskQuarantine(_message.Message):
    __slots__ = ["failed_probes", "failures", "last_error", "next_probe_at", "since"]
    FAILED_PROBES_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    LAST_ERROR_FIELD_NUMBER: _ClassVar[int]
    NEXT_PROBE_AT_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    failed_probes: int
    failures: int
    last_error: str
    next_probe_at: _timestamp_pb2.Timestamp
    since: _timestamp_pb2.Timestamp
    def __init__(self, since: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., failures: _Optional[int] = ..., last_error: _Optional[str] = ..., failed_probes: _Optional[int] = ..., next_probe_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class TimerPolicies(_message.Message):
    __slots__ = ["attempt", "queue", "start", "total"]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    attempt: TimerPolicy
    queue: TimerPolicy
    start: TimerPolicy
    total: TimerPolicy
    def __init__(self, start: _Optional[_Union[TimerPolicy, str]] = ..., queue: _Optional[_Union[TimerPolicy, str]] = ..., attempt: _Optional[_Union[TimerPolicy, str]] = ..., total: _Optional[_Union[TimerPolicy, str]] = ...) -> None: ...

class UpdateTaskRequest(_message.Message):
    __slots__ = ["definition", "expected_revision", "task", "update_mask"]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    definition: TaskDefinition
    expected_revision: int
    task: str
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, task: _Optional[str] = ..., definition: _Optional[_Union[TaskDefinition, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ..., expected_revision: _Optional[int] = ...) -> None: ...

class UpdateTaskResponse(_message.Message):
    __slots__ = ["changed", "task"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    TASK_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    task: Task
    def __init__(self, task: _Optional[_Union[Task, _Mapping]] = ..., changed: bool = ...) -> None: ...

class WarmPolicy(_message.Message):
    __slots__ = ["idle_timeout", "max", "max_uses", "min", "start_ahead"]
    IDLE_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    MAX_USES_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    START_AHEAD_FIELD_NUMBER: _ClassVar[int]
    idle_timeout: _duration_pb2.Duration
    max: int
    max_uses: int
    min: int
    start_ahead: bool
    def __init__(self, min: _Optional[int] = ..., max: _Optional[int] = ..., idle_timeout: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., max_uses: _Optional[int] = ..., start_ahead: bool = ...) -> None: ...

class RuntimeKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class InstancePolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class PullPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class InterruptPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class TimerPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class OnExhausted(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class WhenFull(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class WhenQuarantined(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
