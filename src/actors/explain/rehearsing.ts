/** What would become of a request if it were accepted now, in words. */
import { durationText } from '../../domain/duration.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { Rehearsal } from '../../domain/executions.ts';
import type { Leaf } from '../../domain/scheduling/priority.ts';
import type { Slots } from '../queue/slots.ts';
import type { NodeTime } from '../time/node-time.ts';
import { onWall } from './explaining.ts';
import { type Block, blockWords, shownGate, slotsTaken } from './explanation.ts';
import { gateDetails, gateSentence } from './explanation-gate.ts';

/** A request that would be accepted. */
export interface Rehearsed {
  readonly record: ExecutionRecord;
  readonly leaf: Leaf;
  /** Milliseconds. */
  readonly startAfterMs: number;
  /** Those that would be cancelled for it, as its task says with `when_full`. */
  readonly replaces: readonly string[];
  /** What it would wait for before it queues. */
  readonly dependencies: readonly string[];
}

export interface RehearsingHost {
  readonly slots: Slots;
  readonly time: NodeTime;
  /** Of its line, those that wait in the store. */
  behind(leaf: Leaf): number;
  /** Whether the caller may be told the id of this live execution. */
  maySay(executionId: string): boolean;
  block(): Block | undefined;
  /** Milliseconds until it likely runs, and until it has likely ended. */
  waitMs(record: ExecutionRecord): number;
  likelyMs(record: ExecutionRecord): number;
}

const maxHolders = 100;
const maxShown = 20;

export function rehearse(
  host: RehearsingHost,
  { record, leaf, startAfterMs, replaces, dependencies }: Rehearsed,
): Rehearsal {
  const { slots, time } = host;
  const held = slots.holdFor(leaf);
  const block = host.block();
  const isFull = slots.running >= slots.total;
  const place = slots.waitingIn(leaf) + host.behind(leaf) + 1;
  const said = (ids: Iterable<string>) => [...ids].filter((id) => host.maySay(id)).slice(0, maxHolders);
  const startsInMs = Math.max(startAfterMs, host.waitMs(record));
  const likely = { startsInMs, endsInMs: Math.max(startsInMs, host.likelyMs(record)) };
  const named = said(replaces);
  const details = named.length === 0 ? [] : [`it would take the place of ${named.join(', ')} (when_full)`];
  if (record.blocked === true) {
    const open = dependencies.length;
    const what =
      open === 1 ? `${dependencies[0]}, which it depends on` : `${open} executions that it depends on`;
    return {
      ...{ verdict: 'wait', summary: `It would wait for ${what}.`, ...none, ...likely },
      details:
        open === 1
          ? details
          : [...details, ...dependencies.slice(0, maxShown).map((id) => `it depends on ${id}`)],
    };
  }
  const starts = startAfterMs === 0 && held === undefined && block === undefined && !isFull && place === 1;
  if (starts) {
    return { verdict: 'start', summary: 'It would start at once.', ...none, details, ...likely };
  }
  const where = `It would wait, place ${place} of ${place} in the queue`;
  const waits = {
    ...{ verdict: 'wait' as const, queuePlace: place, queueLength: place, ...likely },
    details: [...details, `it would likely start in ${durationText(startsInMs)}`],
    heldBy:
      held === undefined && !isFull ? [] : said(held?.holders ?? slots.holders(Number.POSITIVE_INFINITY)),
  };
  if (startAfterMs > 0) {
    const summary = `It would wait for its start time, which is in ${durationText(startAfterMs)}, and queue then.`;
    return { ...waits, ...none, summary };
  }
  if (block !== undefined) return { ...waits, summary: `${where}: ${blockWords[block]}.` };
  if (held !== undefined) {
    return {
      ...waits,
      summary: `${where}: ${gateSentence(held)}.`,
      details: [...waits.details, ...gateDetails(held, place)],
      gate: onWall(shownGate(held, time.now()), time),
    };
  }
  const why = isFull ? slotsTaken(slots.total) : 'those before it in its line are about to start';
  return { ...waits, summary: `${where}: ${why}.` };
}

/** One with its invocation id is there. */
export function joining({ executionId, status }: ExecutionRecord): Rehearsal {
  return {
    verdict: 'join',
    summary: `It would join ${executionId}, which has its invocation id and is ${status}.`,
    ...none,
    details: [],
    startsInMs: 0,
    endsInMs: 0,
    joins: executionId,
  };
}

/** Its task's cache has a result for it. */
export function answering(
  { originId, endedAt }: { readonly originId: string; readonly endedAt: number },
  now: number,
): Rehearsal {
  const age = durationText(Math.max(0, now - endedAt));
  return {
    verdict: 'cached',
    summary: `It would end at once with the result of ${originId}, which is ${age} old (cache).`,
    ...none,
    details: [],
    startsInMs: 0,
    endsInMs: 0,
    cachedFrom: originId,
  };
}

const none = { queuePlace: 0, queueLength: 0, heldBy: [] };
