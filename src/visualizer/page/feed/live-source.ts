/** One execution as the node has it now. */
import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals';
import { addressFlag, tenantFlag } from '../list/first-commands.ts';
import type { RowStore } from '../list/row-store.ts';
import { deliveryOf } from '../model/delivery.ts';
import { EventLog } from '../model/event-log.ts';
import { type ExecutionRow, rowOf } from '../model/execution-row.ts';
import type { ExecutionAction, ExecutionSource } from '../model/execution-source.ts';
import { explanationOf } from '../model/explanation.ts';
import { invocationOf } from '../model/invocation.ts';
import type { Machine } from '../model/machine.ts';
import { relationsOf } from '../model/relation.ts';
import { numberOf } from '../model/scalar.ts';
import { type Task, taskOf } from '../model/task.ts';
import type { May } from '../session/may.ts';
import type {
  ExplainExecutionResponseJson,
  GetExecutionStatusResponseJson,
  GetInvocationResponseJson,
  ListDeliveriesResponseJson,
  TaskJson,
} from '../wire.ts';
import { type Call, CallFault, faultText } from './call.ts';
import type { Feed } from './feed.ts';

interface Options {
  readonly id: string;
  readonly call: Call;
  readonly feed: Feed;
  readonly rows: RowStore;
  readonly machines: readonly Machine[];
  readonly at: Signal<number | undefined>;
  readonly actions: (row: ExecutionRow) => readonly ExecutionAction[];
  readonly may: May;
  /** Says itself what came of it. */
  readonly download: (path: string) => void;
}

export interface LiveSource extends ExecutionSource {
  /** The node has no such execution, and the page never knew of one. */
  readonly missing: ReadonlySignal<boolean>;
}

export function openLiveSource(options: Options): LiveSource {
  const { id, call, feed, rows, machines, at, actions, may, download } = options;
  const events = new EventLog();
  const fault = signal('');
  const gone = signal(false);
  const missing = signal(false);
  // Rows are forgotten when there are too many; the one that is open is not.
  const letGo = rows.keep(id);
  const listed = signal<ExecutionRow | undefined>(rows.get(id));
  const stopListening = rows.listen(({ changed }) => {
    if (changed.includes(id)) listed.value = rows.get(id) ?? listed.peek();
  });
  const record = computed(() => events.result.value ?? listed.value);
  const deleted = () => {
    gone.value = true;
    following.end();
    stopListening();
  };
  const failed = (reason: string, message: string) => {
    if (reason !== 'EXECUTION_NOT_FOUND') fault.value = message;
    else {
      rows.remove([id]);
      // What was never there was not deleted either.
      if (record.peek() !== undefined || events.last !== undefined) deleted();
      else {
        missing.value = true;
        following.end();
      }
    }
  };
  const following = feed.follow({ id, events, failed, deleted });
  const ask = async () => {
    using answer = rows.ask();
    const { result, lastSequence } = await call<GetExecutionStatusResponseJson>(
      'FunctionService/GetExecutionStatus',
      {
        executionId: id,
      },
    );
    if (result === undefined) return;
    const row = rowOf(result);
    answer.take([row]);
    const last = Math.max(numberOf(lastSequence), events.lastSequence);
    // No event has this number, and what comes under it later is not what somebody was sent.
    if (at.peek() !== undefined && Number(at.peek()) > last) at.value = undefined;
    listed.value ??= row;
  };
  ask().catch((error: unknown) => failed(error instanceof CallFault ? error.reason : '', faultText(error)));
  let missed = feed.missed.peek();
  const stopAsking = effect(() => {
    if (feed.missed.value === missed || gone.value) return;
    missed = feed.missed.value;
    // Its deletion may be among what was missed; what else there is to know of it is in its log.
    untracked(ask).catch((error: unknown) => {
      if (error instanceof CallFault && error.reason === 'EXECUTION_NOT_FOUND') {
        failed(error.reason, error.message);
      }
    });
  });
  const buttons: ReadonlySignal<readonly ExecutionAction[]> = computed(() => {
    const row = record.value;
    if (row === undefined || gone.value) return [];
    const all = actions(row);
    return feed.away.value ? all.map((each) => ({ ...each, refusal: 'the node is not connected' })) : all;
  });
  // A page of all tenants has to say whose it means.
  const ownTenant = () => record.peek()?.tenant ?? '';
  const path = encodeURIComponent(id);
  return {
    id,
    live: true,
    record,
    events,
    machines,
    fault,
    gone,
    missing,
    away: feed.away,
    at,
    actions: buttons,
    explanation: async () =>
      explanationOf(
        await call<ExplainExecutionResponseJson>('NodeService/ExplainExecution', { executionId: id }),
        addressFlag(feed.node.peek()?.grpcAddress ?? '', window.location.hostname) +
          tenantFlag(record.peek()?.tenant),
      ),
    relations: async () =>
      relationsOf(
        await call<GetExecutionStatusResponseJson>('FunctionService/GetExecutionStatus', { executionId: id }),
      ),
    invocation: async () =>
      invocationOf(await call<GetInvocationResponseJson>('NodeService/GetInvocation', { executionId: id })),
    // As many as there can be: a task's, and a request's.
    deliveries: async () => {
      const request = { executionId: id, pageSize: 1000 };
      const options = { tenant: ownTenant() };
      const answer = await call<ListDeliveriesResponseJson>(
        'WebhookService/ListDeliveries',
        request,
        options,
      );
      return answer.deliveries.map(deliveryOf);
    },
    redrive: computed(() => {
      if (gone.value || feed.away.value || !may('WebhookService/RedriveDeliveries')) return undefined;
      return async (deliveryId: string) => {
        const request = { deliveryIds: [deliveryId] };
        await call('WebhookService/RedriveDeliveries', request, { tenant: ownTenant() });
      };
    }),
    task: () => taskIfAny(call, record.value?.taskId ?? ''),
    downloads: computed(() => ({
      history: () => download(`/api/history/${path}`),
      ...(may('snapshots') && { snapshot: () => download(`/api/snapshots/${path}`) }),
    })),
    close: () => {
      letGo();
      stopAsking();
      stopListening();
      following.stop();
    },
  };
}

async function taskIfAny(call: Call, task: string): Promise<Task | undefined> {
  if (task === '') return undefined;
  try {
    return taskOf((await call<{ readonly task: TaskJson }>('TaskService/GetTask', { task })).task);
  } catch (error) {
    // A deleted task leaves its executions behind.
    if (error instanceof CallFault && error.reason.includes('NOT_FOUND')) return undefined;
    throw error;
  }
}
