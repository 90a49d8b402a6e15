"""What is invoked by the clock."""

from __future__ import annotations

from datetime import datetime, timezone as zones
from typing import Any, Dict, Iterator, List, Optional

from google.protobuf import json_format

from .calls import Calls
from .errors import invalid
from .gen import schedule_pb2 as wire
from .invocation import enum_value, request_of, set_seconds

Json = Dict[str, Any]


class Schedules:
    """The schedules of a node. What is told of them are dicts, as schedule.proto has them, in snake_case."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def create(self, name: str, task: str, **definition: Any) -> Json:
        """Makes one. Raises SpearError of ALREADY_EXISTS where there is one of that name.

        `cron` or `every` (seconds); `timezone`, `overlap` (`SKIP`, `QUEUE`, `CANCEL_RUNNING`, `ALLOW`), `catch_up` and
        `jitter` (seconds), `start_at` and `end_at` (datetime), `description`; and what is invoked, with the options of
        `Spear.start`: docs/schedules.md.
        """
        request = wire.CreateScheduleRequest(definition=_definition(name, task, **definition))
        # A second try would find the schedule that the first one made.
        return _json(self._calls.once("ScheduleService/CreateSchedule", request, wire.CreateScheduleResponse).schedule)

    def update(self, name: str, task: str, *, expected_revision: int = 0, **definition: Any) -> Json:
        """Replaces all that it says. What it has fired stays, and so does a pause."""
        request = wire.UpdateScheduleRequest(
            definition=_definition(name, task, **definition), expected_revision=expected_revision
        )
        return _json(self._calls.once("ScheduleService/UpdateSchedule", request, wire.UpdateScheduleResponse).schedule)

    def get(self, name: str) -> Json:
        request = wire.GetScheduleRequest(name=name)
        return _json(self._calls.repeated("ScheduleService/GetSchedule", request, wire.GetScheduleResponse).schedule)

    def list(self) -> Iterator[Json]:
        """By name, over as many calls as it takes."""
        request = wire.ListSchedulesRequest()
        while True:
            page = self._calls.repeated("ScheduleService/ListSchedules", request, wire.ListSchedulesResponse)
            yield from map(_json, page.schedules)
            request.page_token = page.next_page_token
            if not request.page_token:
                return

    def pause(self, name: str, reason: str = "") -> bool:
        """Nothing fires by the clock until it is resumed. Says whether that changed something."""
        request = wire.PauseScheduleRequest(name=name, reason=reason)
        return self._calls.repeated("ScheduleService/PauseSchedule", request, wire.PauseScheduleResponse).changed

    def resume(self, name: str) -> bool:
        request = wire.ResumeScheduleRequest(name=name)
        return self._calls.repeated("ScheduleService/ResumeSchedule", request, wire.ResumeScheduleResponse).changed

    def trigger(self, name: str) -> Json:
        """Fires once, now, also while it is paused. It is sent once: a second try would fire again."""
        request = wire.TriggerScheduleRequest(name=name)
        return _json(self._calls.once("ScheduleService/TriggerSchedule", request, wire.TriggerScheduleResponse).firing)

    def backfill(self, name: str, from_time: datetime, to_time: datetime, *, dry_run: bool = False) -> List[Json]:
        """Fires each instant of a time that has passed; one whose execution is there is not fired again."""
        request = wire.BackfillScheduleRequest(name=name, dry_run=dry_run)
        getattr(request, "from").FromDatetime(from_time)
        request.to.FromDatetime(to_time)
        answer = self._calls.repeated("ScheduleService/BackfillSchedule", request, wire.BackfillScheduleResponse)
        return [_json(each) for each in answer.firings]

    def upcoming(self, name: str, limit: int = 10) -> List[datetime]:
        """The next instants, in UTC; at most 100."""
        request = wire.ListUpcomingFiringsRequest(name=name, limit=limit)
        answer = self._calls.repeated(
            "ScheduleService/ListUpcomingFirings", request, wire.ListUpcomingFiringsResponse
        )
        return [each.ToDatetime().replace(tzinfo=zones.utc) for each in answer.instants]

    def firings(self, name: str) -> List[Json]:
        """The last 100 of what became of its firings, the newest first."""
        request = wire.ListFiringsRequest(name=name)
        answer = self._calls.repeated("ScheduleService/ListFirings", request, wire.ListFiringsResponse)
        return [_json(each) for each in answer.firings]

    def delete(self, name: str) -> None:
        """What it has fired goes on."""
        request = wire.DeleteScheduleRequest(name=name)
        self._calls.once("ScheduleService/DeleteSchedule", request, wire.DeleteScheduleResponse)


def _definition(
    name: str,
    task: str,
    *,
    cron: Optional[str] = None,
    every: Optional[float] = None,
    timezone: str = "",
    overlap: Optional[str] = None,
    catch_up: Optional[float] = None,
    jitter: Optional[float] = None,
    start_at: Optional[datetime] = None,
    end_at: Optional[datetime] = None,
    description: str = "",
    **options: Any,
) -> wire.ScheduleDefinition:
    if (cron is None) == (every is None):
        raise invalid("cron", "stands beside every, or neither is given; allowed is one of them")
    # The node makes the id of each firing.
    message = wire.ScheduleDefinition(
        name=name,
        invocation=request_of(task, invocation_id=None, **options),
        timezone=timezone,
        description=description,
    )
    if cron is not None:
        message.cron = cron
    else:
        set_seconds(message.interval, every or 0)
    if overlap is not None:
        message.overlap = enum_value("overlap", wire.ScheduleOverlap, "SCHEDULE_OVERLAP_", overlap)
    for field, seconds in (("catch_up", catch_up), ("jitter", jitter)):
        if seconds is not None:
            set_seconds(getattr(message, field), seconds)
    for field, instant in (("start_at", start_at), ("end_at", end_at)):
        if instant is not None:
            getattr(message, field).FromDatetime(instant)
    return message


def _json(message: Any) -> Json:
    return json_format.MessageToDict(message, preserving_proto_field_name=True)
