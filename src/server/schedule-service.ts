/** ScheduleService: what callers ask of the schedules. */
import { create } from '@bufbuild/protobuf';
import { maySeeVariables } from '../domain/access.ts';
import type { Clock } from '../domain/clock.ts';
import { invalidArgument } from '../domain/errors.ts';
import type { Asker, Schedules, ShownSchedule } from '../domain/schedule/port.ts';
import { assertOneTenant } from '../domain/scope.ts';
import type { CallContext, UnaryHandler } from './call.ts';
import * as wire from './gen/spearlet/schedule_pb.js';
import type { PageTokens } from './page-tokens.ts';
import { instant, pageSize, text } from './wire/fields.ts';
import {
  draftFromWire,
  firingToWire,
  overlapFrom,
  plannedFiringToWire,
  scheduleName,
  scheduleToWire,
  timesToWire,
} from './wire/schedule.ts';

export interface ScheduleServiceOptions {
  readonly schedules: Schedules;
  readonly pageTokens: PageTokens;
  readonly clock: Clock;
}

export interface ScheduleService {
  readonly createSchedule: UnaryHandler<wire.CreateScheduleRequest, wire.CreateScheduleResponse>;
  readonly getSchedule: UnaryHandler<wire.GetScheduleRequest, wire.GetScheduleResponse>;
  readonly listSchedules: UnaryHandler<wire.ListSchedulesRequest, wire.ListSchedulesResponse>;
  readonly updateSchedule: UnaryHandler<wire.UpdateScheduleRequest, wire.UpdateScheduleResponse>;
  readonly pauseSchedule: UnaryHandler<wire.PauseScheduleRequest, wire.PauseScheduleResponse>;
  readonly resumeSchedule: UnaryHandler<wire.ResumeScheduleRequest, wire.ResumeScheduleResponse>;
  readonly triggerSchedule: UnaryHandler<wire.TriggerScheduleRequest, wire.TriggerScheduleResponse>;
  readonly backfillSchedule: UnaryHandler<wire.BackfillScheduleRequest, wire.BackfillScheduleResponse>;
  readonly deleteSchedule: UnaryHandler<wire.DeleteScheduleRequest, wire.DeleteScheduleResponse>;
  readonly listUpcomingFirings: UnaryHandler<
    wire.ListUpcomingFiringsRequest,
    wire.ListUpcomingFiringsResponse
  >;
  readonly listFirings: UnaryHandler<wire.ListFiringsRequest, wire.ListFiringsResponse>;
}

const longestReason = 1024;
const shownUpcoming = 3;
const mostUpcoming = 100;

export function createScheduleService({
  schedules,
  pageTokens,
  clock,
}: ScheduleServiceOptions): ScheduleService {
  const now = (): number => Math.round(clock.now());
  const named = (name: string): string => scheduleName('name', name);
  const shown = (schedule: ShownSchedule, { principal }: CallContext) =>
    scheduleToWire(schedule, now(), maySeeVariables(principal));
  const upcomingOf = async ({ schedule }: ShownSchedule, { scope }: CallContext) =>
    timesToWire(await schedules.upcoming(schedule, shownUpcoming, scope));

  return {
    async createSchedule({ definition, pauseReason, paused, dryRun }, call) {
      const reason = text('pause_reason', pauseReason, longestReason);
      if (!paused && reason !== '')
        throw invalidArgument('pause_reason', 'is for a schedule that begins paused');
      const draft = draftFromWire(definition, now());
      const made = await schedules.create(draft, askerOf(call), { dryRun, ...(paused && { pause: reason }) });
      const upcoming = await upcomingOf(made, call);
      return create(wire.CreateScheduleResponseSchema, { schedule: shown(made, call), upcoming });
    },

    async getSchedule({ name }, call) {
      const schedule = shown(await schedules.get(named(name), call.scope), call);
      return create(wire.GetScheduleResponseSchema, { schedule });
    },

    async listSchedules(request, call) {
      assertOneTenant(call.scope, 'a list of schedules');
      const limit = pageSize(request.pageSize);
      const after = pageTokens.open('schedules', request.pageToken);
      const found = await schedules.list(after, limit + 1, call.scope);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return create(wire.ListSchedulesResponseSchema, {
        schedules: page.map((schedule) => shown(schedule, call)),
        nextPageToken:
          found.length > limit && last !== undefined
            ? pageTokens.seal('schedules', last.schedule.rules.name)
            : '',
      });
    },

    async updateSchedule({ definition, expectedRevision, dryRun }, call) {
      const draft = draftFromWire(definition, now());
      const options = { dryRun, ...(expectedRevision > 0 && { expectedRevision }) };
      const changed = await schedules.update(draft, askerOf(call), options);
      const upcoming = await upcomingOf(changed, call);
      return create(wire.UpdateScheduleResponseSchema, { schedule: shown(changed, call), upcoming });
    },

    async pauseSchedule({ name, reason }, call) {
      const why = text('reason', reason, longestReason);
      const { shown: schedule, changed } = await schedules.pause(named(name), why, askerOf(call));
      return create(wire.PauseScheduleResponseSchema, { schedule: shown(schedule, call), changed });
    },

    async resumeSchedule({ name }, call) {
      const { shown: schedule, changed } = await schedules.resume(named(name), call.scope);
      return create(wire.ResumeScheduleResponseSchema, { schedule: shown(schedule, call), changed });
    },

    async triggerSchedule({ name }, { scope }) {
      const fired = await schedules.trigger(named(name), scope);
      return create(wire.TriggerScheduleResponseSchema, { firing: firingToWire(fired, now()) });
    },

    async backfillSchedule(request, { scope }) {
      const [from, to] = [instant('from', request.from), instant('to', request.to)];
      if (from === undefined) throw invalidArgument('from', 'is required');
      if (to === undefined) throw invalidArgument('to', 'is required');
      const { dryRun } = request;
      const overlap = overlapFrom('overlap', request.overlap, 'queue');
      const firings = await schedules.backfill(named(request.name), { from, to, overlap, dryRun }, scope);
      return create(wire.BackfillScheduleResponseSchema, {
        firings: firings.map((firing) =>
          'sequence' in firing
            ? firingToWire({ firing, record: undefined }, now())
            : plannedFiringToWire(firing),
        ),
      });
    },

    async deleteSchedule({ name }, { scope }) {
      await schedules.delete(named(name), scope);
      return create(wire.DeleteScheduleResponseSchema);
    },

    async listUpcomingFirings({ name, limit }, { scope }) {
      if (limit > mostUpcoming) {
        throw invalidArgument('limit', `is ${limit}; allowed is 1 to ${mostUpcoming}, or 0 for 10`);
      }
      const instants = timesToWire(await schedules.upcoming(named(name), limit || 10, scope));
      return create(wire.ListUpcomingFiringsResponseSchema, { instants });
    },

    async listFirings({ name }, { scope }) {
      const firings = await schedules.firings(named(name), scope);
      return create(wire.ListFiringsResponseSchema, {
        firings: firings.map((firing) => firingToWire(firing, now())),
      });
    },
  };
}

function askerOf({ principal: { name, role }, scope }: CallContext): Asker {
  return { scope, owner: { name, role } };
}
