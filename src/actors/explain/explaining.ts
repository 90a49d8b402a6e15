/** Finds what there is to know of an execution, for its explanation. Everything comes from what is durable. */
import { type ExecutionRecord, isTerminal } from '../../domain/execution.ts';
import type { Explanation, QueueGate } from '../../domain/explanation.ts';
import { recoveryOf } from '../../domain/interruption.ts';
import type { LogCursor } from '../../domain/log.ts';
import type { Task } from '../../domain/task.ts';
import { replay } from '../../machines/replay.ts';
import type { LoggedTransition, Store } from '../../stores/store.ts';
import type { QueuePlace, Slots } from '../queue/slots.ts';
import type { NodeTime } from '../time/node-time.ts';
import { type Block, explanationOf, type NodeSays } from './explanation.ts';
import type { ShownDependency } from './explanation-dependencies.ts';

export interface ExplainingHost {
  readonly store: Pick<Store, 'outline' | 'lowSpace'>;
  readonly slots: Slots;
  /** A cursor that does not count as an observer. Rejects with not_found. */
  glance(executionId: string): Promise<LogCursor>;
  taskOf(executionId: string): Task | undefined;
  /** Its place in the queue; undefined for an execution that does not wait for a slot. */
  placeOf(executionId: string): Promise<QueuePlace | undefined>;
  /** The execution whose run it waits for instead of a slot. */
  runFor(executionId: string): string | undefined;
  /** Milliseconds until one that waits likely starts. */
  waitMs(record: ExecutionRecord): number;
  /** Whether the caller may be told the id of this live execution. */
  maySay(executionId: string): boolean;
  /** One that it follows, where the caller may see it. */
  dependencyOf(executionId: string): Promise<ExecutionRecord | undefined>;
  block(): Block | undefined;
  /** Of one that waits for a node of a cluster: why each does not run it. */
  nodes?(record: ExecutionRecord): readonly NodeSays[];
  readonly time: NodeTime;
}

const maxHolders = 100;

/** See Explanations. */
export async function explain(host: ExplainingHost, executionId: string): Promise<Explanation> {
  const cursor = await host.glance(executionId);
  try {
    const task = host.taskOf(executionId);
    const { record } = cursor;
    if (task === undefined || isTerminal(record.status)) return explanationOf({ record });
    const outline = await host.store.outline(executionId);
    const place = await host.placeOf(executionId);
    const dependencies: ShownDependency[] = [];
    for (const dependency of record.dependsOn ?? []) {
      dependencies.push({ dependency, record: await host.dependencyOf(dependency.executionId) });
    }
    // It has gone on while its log was read, and the slots and the queue below are those of now.
    if (cursor.record.state !== record.state) return await explain(host, executionId);
    // The store may be ahead of the record: its last commit may not be heard of yet.
    const transitions = outline.transitions.filter(({ sequence }) => sequence <= record.lastSequence);
    const { context, state } = replay(transitions, recoveryOf(task.definition));
    const { slots, time } = host;
    const entry = entryTo(state, transitions);
    const reattached = reattachedTo(record.attempt, transitions);
    const held = slots.heldBy(executionId);
    const { goesOnAt, endsAt, gate, ...words } = explanationOf({
      record,
      context,
      runtime: task.definition.runtime,
      entry: entry === undefined ? undefined : { ...entry, time: time.ofWall(entry.time) },
      reattachedAt: reattached === undefined ? undefined : time.ofWall(reattached.time),
      ...(held !== undefined && { gate: held }),
      waitsFor: host.runFor(executionId),
      queue: {
        ...(place ?? { place: 0, length: 0, retries: 0 }),
        slots: slots.total,
        running: slots.running,
        holders: [...(held?.holders ?? slots.holders(Number.POSITIVE_INFINITY))]
          .filter((id) => host.maySay(id))
          .slice(0, maxHolders),
      },
      dependencies,
      ...(place !== undefined && { startsInMs: host.waitMs(record) }),
      block: host.block(),
      nodes: host.nodes?.(record),
      lowSpace: host.store.lowSpace,
      now: Math.round(time.now()),
    });
    return {
      ...words,
      details: [...words.details, ...askedBy(transitions, entry)],
      ...(goesOnAt !== undefined && { goesOnAt: Math.round(time.toWall(goesOnAt)) }),
      ...(endsAt !== undefined && { endsAt: Math.round(time.toWall(endsAt)) }),
      ...(gate !== undefined && { gate: onWall(gate, time) }),
    };
  } finally {
    cursor.close('done');
  }
}

export function onWall({ since, opensAt, ...gate }: QueueGate, time: NodeTime): QueueGate {
  return {
    ...gate,
    since: Math.round(time.toWall(since)),
    ...(opensAt !== undefined && { opensAt: Math.round(time.toWall(opensAt)) }),
  };
}

/** Who asked for it, and for what has brought it to its state. */
function askedBy(
  transitions: readonly LoggedTransition[],
  entry: LoggedTransition | undefined,
): readonly string[] {
  const [admission] = transitions;
  return [
    ...(admission?.by === undefined ? [] : [`${admission.by} invoked it`]),
    ...(entry?.by === undefined || entry === admission
      ? []
      : [`${entry.by} asked for the ${entry.eventType}`]),
  ];
}

function entryTo(state: string, transitions: readonly LoggedTransition[]): LoggedTransition | undefined {
  return transitions.findLast(({ from, to }) => to === state && from !== state);
}

/** The last time that an attempt was followed again. */
function reattachedTo(
  attempt: number,
  transitions: readonly LoggedTransition[],
): LoggedTransition | undefined {
  return transitions.findLast((each) => each.eventType === 'reattached' && each.attempt === attempt);
}
