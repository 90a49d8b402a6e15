import { create } from '@bufbuild/protobuf';
import { timestampDate, timestampMs } from '@bufbuild/protobuf/wkt';
import type { Clock } from '../domain/clock.ts';
import { invalidArgument } from '../domain/errors.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { Labels } from '../domain/labels.ts';
import { acrossTenants, type Scope, sees } from '../domain/scope.ts';
import type { Tasks } from '../domain/tasks.ts';
import type { CallContext, UnaryHandler } from './call.ts';
import {
  type ListExecutionsRequest,
  type ListExecutionsResponse,
  ListExecutionsResponseSchema,
} from './gen/spearlet/function_pb.js';
import type { PageTokens } from './page-tokens.ts';
import { statusesFromWire } from './wire/enums.ts';
import { recordToWire } from './wire/execution.ts';
import { instant, pageSize, reference, text } from './wire/fields.ts';
import { labelsFromWire } from './wire/labels.ts';
import { scheduleName } from './wire/schedule.ts';

/** Reads executions beside the supervisor: for lists. */
export interface ExecutionList {
  executions(filter: {
    readonly tenant?: string;
    readonly taskId?: string;
    readonly batchId?: string;
    readonly statuses: readonly ExecutionRecord['status'][];
    readonly createdAfter?: number;
    readonly createdBefore?: number;
    readonly beforeId?: string;
    readonly labels?: Labels;
    readonly schedule?: string;
    readonly limit: number;
  }): Promise<ExecutionRecord[]>;
}

interface ListOptions {
  readonly tasks: Pick<Tasks, 'get'>;
  readonly list: ExecutionList;
  readonly pageTokens: PageTokens;
  readonly clock: Clock;
}

/** ListExecutions: pages, newest first. */
export function createListExecutions({
  tasks,
  list,
  pageTokens,
  clock,
}: ListOptions): UnaryHandler<ListExecutionsRequest, ListExecutionsResponse> {
  /** A deleted task's executions are still listed by its id. */
  const taskIdOf = async (scope: Scope, idOrName: string): Promise<string> => {
    reference('task', idOrName);
    return idOrName.startsWith('task_') ? idOrName : (await tasks.get(scope, idOrName)).taskId;
  };

  return async (request, call) => {
    const { principal, scope } = call;
    const limit = pageSize(request.pageSize);
    const beforeId = pageTokens.open('executions', request.pageToken);
    const createdAfter = instant('created_after', request.createdAfter);
    const createdBefore = instant('created_before', request.createdBefore);
    const statuses = statusesFromWire(request.statuses);
    const batchId = text('batch_id', request.batchId, 256);
    checkRange(request);
    const listed = acrossTenants('all_tenants', principal, scope, request.allTenants);
    const labels = labelsFromWire(request.labels);
    const taskId = request.task === '' ? undefined : await taskIdOf(scope, request.task);
    const wanted = {
      statuses,
      limit: limit + 1,
      ...(taskId !== undefined && { taskId }),
      ...(batchId !== '' && { batchId }),
      ...(createdAfter !== undefined && { createdAfter }),
      ...(createdBefore !== undefined && { createdBefore }),
      ...(beforeId !== '' && { beforeId }),
      ...(Object.keys(labels).length > 0 && { labels }),
      ...(request.schedule !== '' && { schedule: scheduleName('schedule', request.schedule) }),
    };
    const { records, stoppedAt } = await inScope(list, listed, wanted, call);
    const page = withinBytes(records.slice(0, limit));
    const next = records.length > page.length ? page.at(-1)?.executionId : stoppedAt;
    const now = Math.round(clock.now());
    return create(ListExecutionsResponseSchema, {
      executions: page.map((record) => recordToWire(record, now)),
      nextPageToken: next === undefined ? '' : pageTokens.seal('executions', next),
    });
  };
}

/** Bytes of texts that the executions of a page have in all: a page of others is shorter than was asked for. */
const mostPageBytes = 1024 * 1024;

/** As many as have no more; at least one. */
function withinBytes(records: readonly ExecutionRecord[]): readonly ExecutionRecord[] {
  let bytes = 0;
  for (const [index, record] of records.entries()) {
    bytes += textBytes(record);
    if (bytes > mostPageBytes && index > 0) return records.slice(0, index);
  }
  return records;
}

/** About as many bytes as there are characters: what callers and functions have written of any length. */
function textBytes({ metadata, labels = {}, outcome }: ExecutionRecord): number {
  let bytes = 0;
  for (const texts of [metadata, labels]) {
    for (const [name, value] of Object.entries(texts)) bytes += name.length + value.length;
  }
  if (outcome !== undefined && 'message' in outcome) bytes += outcome.message.length;
  return bytes + (outcome?.output?.length ?? 0);
}

type Filter = Parameters<ExecutionList['executions']>[0];

/** Executions that are read at once where only some of them are in scope, … */
const scopedPage = 250;
/** … and how many are read for one answer, which is shorter then and says where to go on. */
const mostLookedAt = 10_000;

interface Found {
  readonly records: readonly ExecutionRecord[];
  /** Where it stopped looking before the end; absent where it did not. */
  readonly stoppedAt?: string;
}

/** Reads on until there are as many as are asked for; in between others have their turn. */
async function inScope(
  list: ExecutionList,
  scope: Scope,
  filter: Filter,
  call: Pick<CallContext, 'gone'>,
): Promise<Found> {
  const { tenant, tasks } = scope;
  const ofTenant = { ...filter, ...(tenant !== undefined && { tenant }) };
  if (tasks === undefined) return { records: await list.executions(ofTenant) };
  const records: ExecutionRecord[] = [];
  let rest: Filter = { ...ofTenant, limit: scopedPage };
  for (let lookedAt = 0; ; lookedAt += scopedPage) {
    const page = await list.executions(rest);
    records.push(...page.filter((record) => sees(scope, record)));
    const last = page.at(-1);
    if (records.length >= filter.limit) return { records: records.slice(0, filter.limit) };
    if (last === undefined || page.length < scopedPage) return { records };
    if (lookedAt + scopedPage >= mostLookedAt || call.gone) return { records, stoppedAt: last.executionId };
    rest = { ...rest, beforeId: last.executionId };
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

function checkRange({ createdAfter, createdBefore }: ListExecutionsRequest): void {
  if (createdAfter === undefined || createdBefore === undefined) return;
  if (timestampMs(createdAfter) < timestampMs(createdBefore)) return;
  const [from, to] = [createdAfter, createdBefore].map((time) => timestampDate(time).toISOString());
  throw invalidArgument('created_after', `is ${from}; allowed is a time before created_before, ${to}`);
}
