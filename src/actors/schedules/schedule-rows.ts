/** How schedules stand in the rows beside the executions: what moves, what it calls, and a ring of its last firings. */
import {
  type Firing,
  keptFirings,
  type Schedule,
  type ScheduledCall,
} from '../../domain/schedule/schedule.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { SideRow, SideRowChange, SideRowId } from '../../domain/side-row.ts';

/** Found when it is due. */
export const scheduleKind = 'schedule';
/** Apart, as it may be large and hardly ever changes. */
const callKind = 'schedule_call';
const firingKind = 'firing';

export function scheduleId(tenant: string, name: string): SideRowId {
  return { kind: scheduleKind, tenant, key: name };
}

export function callId(tenant: string, name: string): SideRowId {
  return { kind: callKind, tenant, key: name };
}

export function scheduleRow(schedule: Schedule): SideRow {
  const { dueAt } = schedule;
  return {
    ...scheduleId(tenantOf(schedule), schedule.rules.name),
    value: JSON.stringify(schedule),
    ...(dueAt !== undefined && { dueAt }),
  };
}

export function scheduleIn({ value }: SideRow): Schedule {
  return JSON.parse(value) as Schedule;
}

export function callRow(tenant: string, name: string, call: ScheduledCall): SideRow {
  const { invocation, ...rest } = call;
  const input = Buffer.from(invocation.input).toString('base64');
  return {
    ...callId(tenant, name),
    value: JSON.stringify({ ...rest, invocation: { ...invocation, input } }),
  };
}

export function callIn({ value }: SideRow): ScheduledCall {
  const { invocation, ...rest } = JSON.parse(value);
  const input = new Uint8Array(Buffer.from(invocation.input, 'base64'));
  return { ...rest, invocation: { ...invocation, input } };
}

/** In the place of the one that is a hundred older. */
export function firingRow(tenant: string, name: string, firing: Firing): SideRow {
  const place = firing.sequence % keptFirings;
  return {
    kind: firingKind,
    tenant,
    key: `${name}/${String(place).padStart(2, '0')}`,
    value: JSON.stringify(firing),
  };
}

export function firingIn({ value }: SideRow): Firing {
  return JSON.parse(value) as Firing;
}

/** The firings of one: no name has a slash, after which comes the 0. */
export function firingQuery(tenant: string, name: string) {
  return { kind: firingKind, tenant, after: `${name}/`, before: `${name}0`, limit: keptFirings };
}

export function deletionOf(tenant: string, name: string, firings: readonly SideRow[]): SideRowChange[] {
  return [scheduleId(tenant, name), callId(tenant, name), ...firings].map(({ kind, key }) => ({
    ...{ kind, tenant, key },
    deleted: true,
  }));
}
