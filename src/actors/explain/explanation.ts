/**
 * Why an execution is where it is, in words. Pure: `explaining.ts` finds the facts.
 *
 * Each state has its own page of words; what a deadline does is said at the end, as it is the same for all.
 */
import { breakpointReason } from '../../domain/breakpoint.ts';
import { durationText } from '../../domain/duration.ts';
import { type ErrorCode, quote } from '../../domain/errors.ts';
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { Explanation, QueueGate } from '../../domain/explanation.ts';
import { defaultTimers } from '../../domain/interruption.ts';
import { retryBudgetReason } from '../../domain/retry-budget.ts';
import type { RuntimeKind } from '../../domain/task.ts';
import type { ExecutionContext } from '../../machines/execution-context.ts';
import { countingTotal } from '../../machines/timers.ts';
import type { LoggedTransition } from '../../stores/store.ts';
import { dependencyWords, type ShownDependency } from './explanation-dependencies.ts';
import { endOf } from './explanation-end.ts';
import { gateDetails, gateLimit, gateSentence, type HoldingGate } from './explanation-gate.ts';

/** What there is to know of an execution that has not ended. All of it is durable. */
export interface Facts {
  readonly record: ExecutionRecord;
  readonly context: ExecutionContext;
  readonly runtime: RuntimeKind;
  /** What brought it to its state; its time as `now`. */
  readonly entry: LoggedTransition | undefined;
  /** When this run of the node, or one before it, began to follow the attempt again; as `now`. */
  readonly reattachedAt: number | undefined;
  readonly queue: {
    /** Its place in the queue, from 1; 0 where it does not wait for a slot. */
    readonly place: number;
    readonly length: number;
    /** How many in the queue are retries, which go before those that have not run yet. */
    readonly retries: number;
    readonly slots: number;
    readonly running: number;
    readonly holders: readonly string[];
  };
  /** Milliseconds until it likely starts, of one that waits for a slot. */
  readonly startsInMs?: number;
  /** What holds it back that waits, besides slots. */
  readonly gate?: HoldingGate;
  /** What it follows; empty for nothing. */
  readonly dependencies: readonly ShownDependency[];
  /** An equal one that runs, whose result is to be its own. */
  readonly waitsFor?: string | undefined;
  /** What keeps the node from starting anything. */
  readonly block: Block | undefined;
  /** Of one that waits for a node of a cluster: why each does not run it. */
  readonly nodes?: readonly NodeSays[] | undefined;
  /** The disk is full. */
  readonly lowSpace: boolean;
  /** Milliseconds since the epoch, as deadlines count. */
  readonly now: number;
}

export type Block = 'draining' | 'recovering' | 'store failing' | 'store behind';

export const blockWords: Readonly<Record<Block, string>> = {
  draining: 'the node is draining and starts nothing; it goes on after the next start of the node',
  recovering: 'the node is starting and starts nothing before it has taken up everything that it left',
  'store failing': 'the store cannot be written, and nothing is started before it can',
  'store behind': 'the store is behind with what has ended, and nothing is started before it has caught up',
};

interface Words {
  readonly summary: string;
  readonly details?: readonly string[];
  readonly goesOnAt?: number;
}

/** For one that has not ended, and for one that has. */
export function explanationOf(facts: Facts | { readonly record: ExecutionRecord }): Explanation {
  const { record } = facts;
  const { executionId, status, state } = record;
  const head = { executionId, status, state, queuePlace: 0, queueLength: 0, heldBy: [] };
  if (!('context' in facts)) return { ...head, ...endOf(record) };
  const { summary, details = [], goesOnAt } = wordsFor(facts);
  const { place, length, running, slots, holders } = facts.queue;
  const deadline = deadlineOf(facts);
  const endsFirst = goesOnAt !== undefined && deadline !== undefined && deadline.at <= goesOnAt;
  return {
    ...head,
    summary,
    details: [
      ...details,
      ...(deadline === undefined ? [] : [deadlineLine(facts, deadline)]),
      ...(endsFirst ? ['that comes first: it ends before it goes on'] : []),
      ...history(record),
    ],
    ...(place > 0 && {
      queuePlace: place,
      queueLength: length,
      ...((running >= slots || facts.gate !== undefined) && { heldBy: holders.slice(0, 100) }),
      ...(facts.gate !== undefined && { gate: shownGate(facts.gate, facts.now) }),
    }),
    ...(facts.waitsFor !== undefined && { heldBy: [facts.waitsFor] }),
    ...(goesOnAt !== undefined && { goesOnAt }),
    ...(deadline !== undefined && { endsAt: deadline.at }),
  };
}

function wordsFor(facts: Facts): Words {
  switch (facts.record.state) {
    case 'pending.blocked':
      return blocked(facts, 'It');
    case 'pending.waiting':
      return waiting(facts);
    case 'pending.queued':
      return queued(facts, 'It');
    case 'pending.held':
      return heldBeforeItBegan(facts);
    case 'running.backingOff':
      return backingOff(facts);
    case 'running.stopping':
      return stopping(facts);
    case 'running.suspended':
      return suspended(facts);
    default:
      return attempting(facts);
  }
}

function blocked({ dependencies, context, entry, now }: Facts, who: string): Words {
  const { sentence, details } = dependencyWords(who, dependencies);
  const since = context.blockedSince ?? entry?.time;
  return {
    summary: sentence,
    details: [
      ...details,
      ...(since === undefined ? [] : [`blocked for ${durationText(Math.max(0, now - since))}`]),
    ],
  };
}

function heldBeforeItBegan(facts: Facts): Words {
  const words = held(facts, 'It is held');
  if (facts.context.blockedSince === null) return words;
  const { summary, details = [] } = blocked(facts, 'beside that it');
  return { ...words, details: [...(words.details ?? []), summary.replace(/\.$/, ''), ...details] };
}

function waiting({ context: { startAt }, now }: Facts): Words {
  if (startAt === null) return { summary: 'It waits for its start time.' };
  const left = startAt - now;
  return left > 0
    ? { summary: `It waits for its start time, which is in ${durationText(left)}.`, goesOnAt: startAt }
    : { summary: 'Its start time has come; it is about to queue.', goesOnAt: startAt };
}

/** What it was given besides what all have; empty for nothing. */
function lineOf({ priority, fairnessKey }: ExecutionRecord): string {
  return [
    ...(priority === undefined ? [] : [`priority ${priority}`]),
    ...(fairnessKey === undefined ? [] : [`fairness key ${quote(fairnessKey)}`]),
  ].join(' and ');
}

/** Its times as `now`. */
export function shownGate(gate: HoldingGate, now: number): QueueGate {
  const { use, heldForMs, opensInMs } = gate;
  const { key, value } = use.kind === 'resources' ? { key: '', value: '' } : use;
  return {
    kind: use.kind === 'quotaRate' || use.kind === 'quotaMemory' ? 'quota' : use.kind,
    key,
    value,
    ...gateLimit(gate),
    since: now - heldForMs,
    ...(Number.isFinite(opensInMs) && { opensAt: now + opensInMs }),
  };
}

/** A node that does not run it: it cannot, for that reason, or has no free slot. */
export interface NodeSays {
  readonly name: string;
  readonly why: string | undefined;
}

const mostNodes = 16;

function nodeDetails(nodes: readonly NodeSays[] = []): string[] {
  const told = nodes
    .slice(0, mostNodes)
    .map(({ name, why }) => `the node ${name} ${why ?? 'may run it, and has no free slot that is its turn'}`);
  return nodes.length > mostNodes ? [...told, `and ${nodes.length - mostNodes} more nodes`] : told;
}

function queued(facts: Facts, who: string): Words {
  const { record, queue, gate, block, lowSpace, entry, startsInMs, now } = facts;
  const { place, length, retries, slots, running } = queue;
  const details: string[] = [];
  if (entry !== undefined) details.push(`in ${entry.to} for ${durationText(Math.max(0, now - entry.time))}`);
  if (place > 0) {
    if (retries > 0 && place > retries) {
      details.push(`${retries === 1 ? '1 retry goes' : `${retries} retries go`} before it`);
    }
    const line = lineOf(record);
    if (line !== '') details.push(`it waits among those with ${line}`);
    if (facts.nodes === undefined) details.push(`the node runs ${slots} at once (--slots)`);
    if (startsInMs !== undefined && (gate !== undefined || running >= slots)) {
      details.push(`it will likely start in ${durationText(startsInMs)}`);
    }
  }
  details.push(...nodeDetails(facts.nodes));
  if (lowSpace) details.push('the disk is full: what was accepted may end, and nothing new is accepted');
  if (facts.waitsFor !== undefined) {
    const summary = `${who} waits for ${facts.waitsFor}, which runs the same call, and ends with its result (cache).`;
    return { summary, details: [...details, 'where that fails, it runs itself'] };
  }
  const where = place > 0 ? `place ${place} of ${length} in the queue` : 'not in the queue yet';
  if (block !== undefined)
    return { summary: `${who} waits for a slot, ${where}: ${blockWords[block]}.`, details };
  if (place === 0)
    return { summary: `${who} waits for its admission to be on disk, and queues then.`, details };
  if (gate !== undefined) {
    const first = place === 1 && Number.isFinite(gate.opensInMs) && running < slots;
    return {
      summary: `${who} waits, ${where}: ${gateSentence(gate)}.`,
      details: [...details, ...gateDetails(gate, place)],
      ...(first && { goesOnAt: now + Math.max(0, gate.opensInMs) }),
    };
  }
  if (running >= slots) {
    return { summary: `${who} waits for a slot, ${where}: ${slotsTaken(slots)}.`, details };
  }
  return { summary: `${who} is about to start, ${where}.`, details };
}

export function slotsTaken(slots: number): string {
  return slots === 1 ? 'the only slot is taken' : `all ${slots} slots are taken`;
}

/** Who asked for it to stand still, and what makes it go on. */
function held({ record, context, entry, now }: Facts, what: string): Words {
  const since = context.heldSince ?? entry?.time;
  const details: string[] = [];
  if (since !== undefined) details.push(`held for ${durationText(Math.max(0, now - since))}`);
  details.push(
    `\`spear resume ${record.executionId}\` lets it go on, \`spear cancel ${record.executionId}\` ends it`,
  );
  const { total } = context.options.timers ?? defaultTimers;
  if (total !== 'absolute') details.push('its total timeout stands still meanwhile');
  return { summary: `${what} ${heldBy(entry)}, until somebody resumes it.`, details };
}

function heldBy(entry: LoggedTransition | undefined): string {
  if (entry?.reasonCode === breakpointReason) {
    const before = entry.from === 'pending.queued' ? 'before it starts' : `at ${entry.from}`;
    return `by a breakpoint ${before}`;
  }
  if (entry?.reasonCode === retryBudgetReason) return "as its task's retries are used up (retry.budget)";
  if (entry?.eventType === 'restored') return 'as its restore from a snapshot asked for';
  return 'by a suspend';
}

function attempting(facts: Facts): Words {
  const { record, context, entry, now } = facts;
  const since = entry === undefined ? '' : ` for ${durationText(Math.max(0, now - entry.time))}`;
  const on = record.instanceId === '' ? '' : ` on ${record.instanceId}`;
  return {
    summary: `Attempt ${record.attempt} has been running${since}${on}.`,
    details: [...followedAgain(facts), ...tries(context, record)],
  };
}

/** It outlived the node that started it. */
function followedAgain({ reattachedAt, now }: Facts): string[] {
  if (reattachedAt === undefined) return [];
  const ago = durationText(Math.max(0, now - reattachedAt));
  return [`it outlived a stop of the node, and has been followed again for ${ago}`];
}

function backingOff(facts: Facts): Words {
  const { record, context, entry, queue, now } = facts;
  const details: string[] = [];
  if (entry?.eventType === 'lost') details.push(`attempt ${record.attempt} was lost, and runs again`);
  else if (entry?.eventType === 'resume') details.push('it was held, and goes on with another attempt');
  else if (entry !== undefined && entry.reasonCode !== '') {
    details.push(`attempt ${record.attempt} ended with ${entry.reasonCode}`);
  }
  details.push(...tries(context, record));
  const { retryAt } = context;
  if (queue.place > 0) {
    const words = queued(facts, `Attempt ${record.attempt + 1}`);
    return { ...words, details: [...details, ...(words.details ?? [])] };
  }
  if (retryAt !== null && retryAt > now) {
    const summary = `Attempt ${record.attempt + 1} begins in ${durationText(retryAt - now)}, when there is a slot.`;
    return { summary, details, goesOnAt: retryAt };
  }
  return { summary: `Attempt ${record.attempt + 1} is about to queue for a slot.`, details };
}

function stopping({ record, context, runtime, now }: Facts): Words {
  const { cause, stoppingSince, stopDeadline } = context;
  const { graceMs } = context.options;
  const why = cause === null ? 'it is to be held' : `${cause.code}: ${cause.message}`;
  const details: string[] = [];
  if (stoppingSince !== null)
    details.push(`that began ${durationText(Math.max(0, now - stoppingSince))} ago`);
  if (stoppingSince !== null && runtime !== 'wasm') {
    const force = stoppingSince + graceMs;
    details.push(
      force > now
        ? `it was asked to end (term); it is killed in ${durationText(force - now)} at the latest (kill)`
        : `it did not end when it was asked to, and is being killed (kill)`,
    );
  } else if (runtime === 'wasm') details.push('its guest host is being ended (terminate)');
  if (stopDeadline !== null) {
    const left = Math.max(0, stopDeadline - now);
    details.push(`what cannot be confirmed gone in ${durationText(left)} ends with KILL_UNCONFIRMED`);
  }
  return { summary: `Attempt ${record.attempt} is being stopped: ${why}.`, details };
}

function suspended(facts: Facts): Words {
  const { context, record } = facts;
  const paused = context.pausedAttempt !== null;
  const words = held(facts, paused ? `Attempt ${record.attempt} is paused` : 'It is held');
  const next = paused
    ? 'its container runs on after the resume, beyond --slots where it must'
    : `attempt ${record.attempt + 1} runs after the resume, from the beginning`;
  return { ...words, details: [...(words.details ?? []), ...(paused ? followedAgain(facts) : []), next] };
}

function tries({ options: { retry }, attempt, lost }: ExecutionContext, record: ExecutionRecord): string[] {
  if (retry.maxAttempts <= 1 && record.attempt <= 1) return [];
  return [`try ${Math.max(1, attempt - lost)} of ${retry.maxAttempts}`];
}

function history({ recoveries = 0 }: ExecutionRecord): string[] {
  if (recoveries === 0) return [];
  return [
    `${recoveries === 1 ? '1 attempt was' : `${recoveries} attempts were`} lost with the node that ran it`,
  ];
}

interface Deadline {
  readonly at: number;
  readonly code: ErrorCode;
}

/** The earliest one that ends it, or its attempt. */
function deadlineOf({ record, context }: Facts): Deadline | undefined {
  const deadlines: Deadline[] = [{ at: countingTotal(context), code: 'TOTAL_TIMEOUT' }];
  if (record.state === 'pending.queued' && context.queueDeadline !== null) {
    deadlines.push({ at: context.queueDeadline, code: 'QUEUE_TIMEOUT' });
  }
  if (record.state === 'running.attempting' && context.attemptDeadline !== null) {
    deadlines.push({ at: context.attemptDeadline, code: 'ATTEMPT_TIMEOUT' });
  }
  if (record.state === 'running.stopping' && context.cause !== null) return undefined;
  const earliest = deadlines.reduce((least, each) => (each.at < least.at ? each : least));
  return Number.isFinite(earliest.at) ? earliest : undefined;
}

function deadlineLine({ now }: Facts, { at, code }: Deadline): string {
  return `${code} in ${durationText(Math.max(0, at - now))}, where nothing else ends it before`;
}
