/** What a request to run again means, checked. */
import { type ErrorCode as Code, invalidArgument } from '../../domain/errors.ts';
import { isTerminal, type ExecutionStatus as Status } from '../../domain/execution.ts';
import type { Labels } from '../../domain/labels.ts';
import { checkRerunId } from '../../domain/rerun.ts';
import { revisionWish } from '../../domain/revisions/reference.ts';
import type { Priority } from '../../domain/scheduling/priority.ts';
import { ErrorCode, Priority as WirePriority } from '../gen/spearlet/function_pb.js';
import type { RerunExecutionsRequest, RerunFilter } from '../gen/spearlet/rerun_pb.js';
import { errorCodeToWire, statusFromWire } from '../wire/enums.ts';
import { batchReference, executionId, instant, most, reference, text } from '../wire/fields.ts';
import { labelsFromWire } from '../wire/labels.ts';
import { scheduleName } from '../wire/schedule.ts';
import { turnFrom } from '../wire/turn.ts';

export interface RerunWish {
  readonly id: string;
  readonly dryRun: boolean;
  readonly again: boolean;
  /** What stands behind the `@`; empty for the revision that each had. */
  readonly revision: string;
  readonly priority: Priority | undefined;
  readonly maxInFlight: number;
  readonly selection: { readonly ids: readonly string[] } | { readonly filter: RerunSelection };
}

export interface RerunSelection {
  /** Empty for all. */
  readonly task: string;
  readonly statuses: readonly Status[];
  readonly createdAfter: number | undefined;
  readonly createdBefore: number | undefined;
  readonly labels: Labels;
  /** Empty for any. */
  readonly codes: ReadonlySet<Code>;
  /** Empty for members of any batch, and of none. */
  readonly batchId: string;
  /** Empty for what any schedule has fired, or none. */
  readonly schedule: string;
}

const mostIds = 1000;
const usualInFlight = 50;
const mostInFlight = 1000;
const usualStatuses: readonly Status[] = ['failed', 'timedOut'];
const codeFromWire = new Map(
  Object.entries(errorCodeToWire).map(([code, wire]) => [wire, code as Code] as const),
);

/** `newId` names a run that its caller has not named. Throws invalid_argument. */
export function wishFrom(request: RerunExecutionsRequest, newId: () => string): RerunWish {
  const { executionIds, filter, rerunId, revision, maxInFlight } = request;
  if (executionIds.length > 0 === (filter !== undefined)) {
    throw invalidArgument('filter', 'stands beside execution_ids, or neither is set; allowed is one of them');
  }
  most('execution_ids', executionIds.length, mostIds);
  if (maxInFlight > mostInFlight) {
    throw invalidArgument(
      'max_in_flight',
      `is ${maxInFlight}; allowed are 1 to ${mostInFlight}, or 0 for ${usualInFlight}`,
    );
  }
  if (revision !== '') revisionWish('revision', text('revision', revision, 256));
  const asked = request.priority === WirePriority.UNSPECIFIED ? WirePriority.LOW : request.priority;
  return {
    id: checkRerunId(rerunId === '' ? newId() : rerunId),
    dryRun: request.dryRun,
    again: request.again,
    revision,
    priority: turnFrom({ priority: asked, fairnessKey: '' }, {}).priority,
    maxInFlight: maxInFlight === 0 ? usualInFlight : maxInFlight,
    selection:
      filter === undefined
        ? { ids: [...new Set(executionIds.map(executionId))] }
        : { filter: selectionFrom(filter) },
  };
}

function selectionFrom(filter: RerunFilter): RerunSelection {
  const statuses = filter.statuses.map((wire, index) => {
    const status = statusFromWire.get(wire);
    if (status !== undefined && isTerminal(status)) return status;
    throw invalidArgument(
      `filter.statuses[${index}]`,
      `is ${wire}; allowed are COMPLETED (3), FAILED (4), CANCELLED (5) and TIMED_OUT (6)`,
    );
  });
  const codes = filter.errorCodes.map((wire, index) => {
    const code = codeFromWire.get(wire);
    if (code !== undefined) return code;
    const allowed = [...codeFromWire.keys()].map((each) => ErrorCode[each]).join(', ');
    throw invalidArgument(`filter.error_codes[${index}]`, `is ${wire}; allowed are ${allowed}`);
  });
  const createdAfter = instant('filter.created_after', filter.createdAfter);
  const createdBefore = instant('filter.created_before', filter.createdBefore);
  if (createdAfter !== undefined && createdBefore !== undefined && createdAfter >= createdBefore) {
    throw invalidArgument(
      'filter.created_after',
      'is not before created_before; allowed is a time before it',
    );
  }
  return {
    task: filter.task === '' ? '' : reference('filter.task', filter.task),
    statuses: statuses.length === 0 ? usualStatuses : statuses,
    createdAfter,
    createdBefore,
    labels: labelsFromWire(filter.labels),
    codes: new Set(codes),
    schedule: filter.schedule === '' ? '' : scheduleName('filter.schedule', filter.schedule),
    batchId: filter.batchId === '' ? '' : batchReference('filter.batch_id', filter.batchId),
  };
}
