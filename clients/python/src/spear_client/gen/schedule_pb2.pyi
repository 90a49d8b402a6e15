from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from spear_client.gen import function_pb2 as _function_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
FIRING_CAUSE_BACKFILL: FiringCause
FIRING_CAUSE_CLOCK: FiringCause
FIRING_CAUSE_TRIGGER: FiringCause
FIRING_CAUSE_UNSPECIFIED: FiringCause
FIRING_RESULT_FIRED: FiringResult
FIRING_RESULT_MISSED: FiringResult
FIRING_RESULT_REFUSED: FiringResult
FIRING_RESULT_REPEATED: FiringResult
FIRING_RESULT_SKIPPED: FiringResult
FIRING_RESULT_UNSPECIFIED: FiringResult
SCHEDULE_OVERLAP_ALLOW: ScheduleOverlap
SCHEDULE_OVERLAP_CANCEL_RUNNING: ScheduleOverlap
SCHEDULE_OVERLAP_QUEUE: ScheduleOverlap
SCHEDULE_OVERLAP_SKIP: ScheduleOverlap
SCHEDULE_OVERLAP_UNSPECIFIED: ScheduleOverlap

class BackfillScheduleRequest(_message.Message):
    __slots__ = ["dry_run", "name", "overlap", "to"]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    dry_run: bool
    name: str
    overlap: ScheduleOverlap
    to: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., to: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., overlap: _Optional[_Union[ScheduleOverlap, str]] = ..., dry_run: bool = ..., **kwargs) -> None: ...

class BackfillScheduleResponse(_message.Message):
    __slots__ = ["firings"]
    FIRINGS_FIELD_NUMBER: _ClassVar[int]
    firings: _containers.RepeatedCompositeFieldContainer[Firing]
    def __init__(self, firings: _Optional[_Iterable[_Union[Firing, _Mapping]]] = ...) -> None: ...

class CreateScheduleRequest(_message.Message):
    __slots__ = ["definition", "dry_run", "pause_reason", "paused"]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    definition: ScheduleDefinition
    dry_run: bool
    pause_reason: str
    paused: bool
    def __init__(self, definition: _Optional[_Union[ScheduleDefinition, _Mapping]] = ..., pause_reason: _Optional[str] = ..., paused: bool = ..., dry_run: bool = ...) -> None: ...

class CreateScheduleResponse(_message.Message):
    __slots__ = ["schedule", "upcoming"]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    UPCOMING_FIELD_NUMBER: _ClassVar[int]
    schedule: Schedule
    upcoming: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    def __init__(self, schedule: _Optional[_Union[Schedule, _Mapping]] = ..., upcoming: _Optional[_Iterable[_Union[_timestamp_pb2.Timestamp, _Mapping]]] = ...) -> None: ...

class DeleteScheduleRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class DeleteScheduleResponse(_message.Message):
    __slots__ = []
    def __init__(self) -> None: ...

class Firing(_message.Message):
    __slots__ = ["at", "cause", "count", "execution", "execution_id", "instant", "message", "more", "reason", "result", "sequence", "until"]
    AT_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_ID_FIELD_NUMBER: _ClassVar[int]
    INSTANT_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    cause: FiringCause
    count: int
    execution: _function_pb2.ExecutionResult
    execution_id: str
    instant: _timestamp_pb2.Timestamp
    message: str
    more: bool
    reason: str
    result: FiringResult
    sequence: int
    until: _timestamp_pb2.Timestamp
    def __init__(self, sequence: _Optional[int] = ..., instant: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., cause: _Optional[_Union[FiringCause, str]] = ..., result: _Optional[_Union[FiringResult, str]] = ..., execution_id: _Optional[str] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., until: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., count: _Optional[int] = ..., more: bool = ..., execution: _Optional[_Union[_function_pb2.ExecutionResult, _Mapping]] = ...) -> None: ...

class GetScheduleRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetScheduleResponse(_message.Message):
    __slots__ = ["schedule"]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    schedule: Schedule
    def __init__(self, schedule: _Optional[_Union[Schedule, _Mapping]] = ...) -> None: ...

class ListFiringsRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ListFiringsResponse(_message.Message):
    __slots__ = ["firings"]
    FIRINGS_FIELD_NUMBER: _ClassVar[int]
    firings: _containers.RepeatedCompositeFieldContainer[Firing]
    def __init__(self, firings: _Optional[_Iterable[_Union[Firing, _Mapping]]] = ...) -> None: ...

class ListSchedulesRequest(_message.Message):
    __slots__ = ["page_size", "page_token"]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListSchedulesResponse(_message.Message):
    __slots__ = ["next_page_token", "schedules"]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SCHEDULES_FIELD_NUMBER: _ClassVar[int]
    next_page_token: str
    schedules: _containers.RepeatedCompositeFieldContainer[Schedule]
    def __init__(self, schedules: _Optional[_Iterable[_Union[Schedule, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListUpcomingFiringsRequest(_message.Message):
    __slots__ = ["limit", "name"]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    limit: int
    name: str
    def __init__(self, name: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListUpcomingFiringsResponse(_message.Message):
    __slots__ = ["instants"]
    INSTANTS_FIELD_NUMBER: _ClassVar[int]
    instants: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    def __init__(self, instants: _Optional[_Iterable[_Union[_timestamp_pb2.Timestamp, _Mapping]]] = ...) -> None: ...

class PauseScheduleRequest(_message.Message):
    __slots__ = ["name", "reason"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    name: str
    reason: str
    def __init__(self, name: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class PauseScheduleResponse(_message.Message):
    __slots__ = ["changed", "schedule"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    schedule: Schedule
    def __init__(self, schedule: _Optional[_Union[Schedule, _Mapping]] = ..., changed: bool = ...) -> None: ...

class ResumeScheduleRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class ResumeScheduleResponse(_message.Message):
    __slots__ = ["changed", "schedule"]
    CHANGED_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    changed: bool
    schedule: Schedule
    def __init__(self, schedule: _Optional[_Union[Schedule, _Mapping]] = ..., changed: bool = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ["allowed_events", "created_at", "definition", "failed_in_a_row", "fired", "last", "missed", "next", "pause_reason", "paused_at", "paused_by", "principal", "refused", "refused_in_a_row", "revision", "skipped", "state", "tenant", "updated_at"]
    ALLOWED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    FAILED_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    FIRED_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_AT_FIELD_NUMBER: _ClassVar[int]
    PAUSED_BY_FIELD_NUMBER: _ClassVar[int]
    PAUSE_REASON_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TENANT_FIELD_NUMBER: _ClassVar[int]
    UPDATED_AT_FIELD_NUMBER: _ClassVar[int]
    allowed_events: _containers.RepeatedScalarFieldContainer[str]
    created_at: _timestamp_pb2.Timestamp
    definition: ScheduleDefinition
    failed_in_a_row: int
    fired: int
    last: Firing
    missed: int
    next: _timestamp_pb2.Timestamp
    pause_reason: str
    paused_at: _timestamp_pb2.Timestamp
    paused_by: str
    principal: str
    refused: int
    refused_in_a_row: int
    revision: int
    skipped: int
    state: str
    tenant: str
    updated_at: _timestamp_pb2.Timestamp
    def __init__(self, definition: _Optional[_Union[ScheduleDefinition, _Mapping]] = ..., revision: _Optional[int] = ..., tenant: _Optional[str] = ..., created_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., updated_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., principal: _Optional[str] = ..., state: _Optional[str] = ..., pause_reason: _Optional[str] = ..., paused_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., paused_by: _Optional[str] = ..., next: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., fired: _Optional[int] = ..., skipped: _Optional[int] = ..., missed: _Optional[int] = ..., refused: _Optional[int] = ..., refused_in_a_row: _Optional[int] = ..., failed_in_a_row: _Optional[int] = ..., last: _Optional[_Union[Firing, _Mapping]] = ..., allowed_events: _Optional[_Iterable[str]] = ...) -> None: ...

class ScheduleDefinition(_message.Message):
    __slots__ = ["catch_up", "cron", "description", "end_at", "interval", "invocation", "jitter", "name", "overlap", "start_at", "timezone"]
    CATCH_UP_FIELD_NUMBER: _ClassVar[int]
    CRON_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    END_AT_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_FIELD_NUMBER: _ClassVar[int]
    INVOCATION_FIELD_NUMBER: _ClassVar[int]
    JITTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    OVERLAP_FIELD_NUMBER: _ClassVar[int]
    START_AT_FIELD_NUMBER: _ClassVar[int]
    TIMEZONE_FIELD_NUMBER: _ClassVar[int]
    catch_up: _duration_pb2.Duration
    cron: str
    description: str
    end_at: _timestamp_pb2.Timestamp
    interval: _duration_pb2.Duration
    invocation: _function_pb2.InvokeFunctionRequest
    jitter: _duration_pb2.Duration
    name: str
    overlap: ScheduleOverlap
    start_at: _timestamp_pb2.Timestamp
    timezone: str
    def __init__(self, name: _Optional[str] = ..., invocation: _Optional[_Union[_function_pb2.InvokeFunctionRequest, _Mapping]] = ..., cron: _Optional[str] = ..., interval: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., timezone: _Optional[str] = ..., overlap: _Optional[_Union[ScheduleOverlap, str]] = ..., catch_up: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., jitter: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., start_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., end_at: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., description: _Optional[str] = ...) -> None: ...

class TriggerScheduleRequest(_message.Message):
    __slots__ = ["name"]
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class TriggerScheduleResponse(_message.Message):
    __slots__ = ["firing"]
    FIRING_FIELD_NUMBER: _ClassVar[int]
    firing: Firing
    def __init__(self, firing: _Optional[_Union[Firing, _Mapping]] = ...) -> None: ...

class UpdateScheduleRequest(_message.Message):
    __slots__ = ["definition", "dry_run", "expected_revision"]
    DEFINITION_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_REVISION_FIELD_NUMBER: _ClassVar[int]
    definition: ScheduleDefinition
    dry_run: bool
    expected_revision: int
    def __init__(self, definition: _Optional[_Union[ScheduleDefinition, _Mapping]] = ..., expected_revision: _Optional[int] = ..., dry_run: bool = ...) -> None: ...

class UpdateScheduleResponse(_message.Message):
    __slots__ = ["schedule", "upcoming"]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    UPCOMING_FIELD_NUMBER: _ClassVar[int]
    schedule: Schedule
    upcoming: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    def __init__(self, schedule: _Optional[_Union[Schedule, _Mapping]] = ..., upcoming: _Optional[_Iterable[_Union[_timestamp_pb2.Timestamp, _Mapping]]] = ...) -> None: ...

class ScheduleOverlap(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class FiringCause(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []

class FiringResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = []
