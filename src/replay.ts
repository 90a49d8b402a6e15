/** What `spear replay` does to a snapshot: makes the machine again from its log, without a server. */
import { isDeepStrictEqual } from 'node:util';
import { partsOf, receive, type SpooledDocument } from './actors/snapshots/arrival.ts';
import { checkSeal, noKeys } from './actors/snapshots/seals.ts';
import type { EventBody, NewEvent } from './domain/event.ts';
import type { ExecutionRecord } from './domain/execution.ts';
import { interruptPolicyOf, maxRecoveriesOf, type RecoveryPolicy } from './domain/interruption.ts';
import type { MachinePart } from './domain/snapshot/parts.ts';
import { executionChartVersion } from './machines/execution.ts';
import { SnapshotIncompatible } from './machines/migrations.ts';
import { machineStates, persisted, type Replayed, replay, snapshotOf } from './machines/replay.ts';

type Transition = NewEvent & Extract<EventBody, { kind: 'transition' }>;
type Result = NewEvent & Extract<EventBody, { kind: 'result' }>;
type Fields = Readonly<Record<string, unknown>>;

/** One transition of the log, or its result. */
export interface ReplayStep
  extends Pick<Transition, 'sequence' | 'from' | 'to' | 'eventType' | 'reasonCode' | 'attempt'> {
  /** When, in RFC 3339. */
  readonly time: string;
  /** What it changed of the machine's context, by field; `before` is absent where there was nothing. */
  readonly changes: Readonly<Record<string, { readonly before?: unknown; readonly after: unknown }>>;
}

export interface ReplayFinding {
  /** A field of the record, `machine` and a field of it, `log`, or an event such as `#3`. */
  readonly subject: string;
  readonly message: string;
}

export interface ReplayReport {
  /** Nothing was found. */
  readonly ok: boolean;
  readonly executionId: string;
  readonly taskName: string;
  /** Hex SHA-256 of the public key that signed the snapshot; empty for none. */
  readonly signedBy: string;
  /** The last event of the log. */
  readonly lastSequence: number;
  /** The last event that was replayed. */
  readonly replayedTo: number;
  /** The machine that comes out; absent where none does, which a finding says. */
  readonly machine?: {
    readonly chartVersion: number;
    readonly state: string;
    /** As logs have it: of what has ended, before its end. */
    readonly context: unknown;
  };
  readonly steps: readonly ReplayStep[];
  /** What the log and the rest of the snapshot say differently. */
  readonly findings: readonly ReplayFinding[];
}

/** Of one line, and of a document: what no node writes. */
const maxLineBytes = 1024 * 1024 * 1024;

/** What a document says, but for its output, input and artifact. */
interface Contents {
  readonly record: ExecutionRecord;
  readonly machine: MachinePart | undefined;
  readonly recovery: RecoveryPolicy | undefined;
  readonly transitions: readonly Transition[];
  /** Of what has ended: its last event. */
  readonly result: Result | undefined;
}

/**
 * `bytes` opens the document and may be called twice. `until` is the last event to replay, by default the last there
 * is. Rejects with a RequestError where the document is damaged.
 */
export async function replaySnapshot(
  bytes: () => AsyncIterable<Uint8Array>,
  until?: number,
): Promise<ReplayReport> {
  const document: SpooledDocument = { write: async () => {}, read: bytes, close: async () => {} };
  const { signal } = new AbortController();
  const bounds = { maxLineBytes, maxBytes: Number.MAX_SAFE_INTEGER };
  const signedBy = checkSeal(await receive(document, bytes(), bounds, signal), noKeys);
  const contents = await contentsOf(document, signal);
  const { record, transitions, result } = contents;
  const replayedTo = Math.min(until ?? record.lastSequence, record.lastSequence);
  const replayed = transitions.filter(({ sequence }) => sequence <= replayedTo);
  const steps: ReplayStep[] = [];
  const findings: ReplayFinding[] = [];
  let machine: Replayed | undefined;
  let state = '';
  try {
    for (const step of stepsOf(replayed, contents.recovery)) steps.push(step);
    findings.push(...gaps(steps));
    machine = replay(replayed, contents.recovery);
    snapshotOf(machine);
    state = machine.state;
    if (replayedTo === record.lastSequence) {
      if (result !== undefined) {
        steps.push(endOf(result, state, record));
        state = result.status;
      }
      findings.push(...differences(machine, state, contents));
    }
  } catch (error) {
    if (!(error instanceof SnapshotIncompatible)) throw error;
    machine = undefined;
    findings.push({ subject: 'log', message: `makes no machine: ${error.message}` });
  }
  return {
    ok: findings.length === 0,
    executionId: record.executionId,
    taskName: record.taskName,
    signedBy,
    lastSequence: record.lastSequence,
    replayedTo,
    ...(machine !== undefined && {
      machine: { chartVersion: machine.chartVersion, state, context: storedOf(machine).context },
    }),
    steps,
    findings,
  };
}

async function contentsOf(document: SpooledDocument, signal: AbortSignal): Promise<Contents> {
  let record: ExecutionRecord | undefined;
  let machine: MachinePart | undefined;
  let recovery: RecoveryPolicy | undefined;
  let result: Result | undefined;
  const transitions: Transition[] = [];
  for await (const part of partsOf(document, maxLineBytes, signal)) {
    if (part.kind === 'record') record = part.record;
    if (part.kind === 'machine') machine = part;
    if (part.kind === 'task') {
      const { definition } = part.task;
      recovery = { onInterrupt: interruptPolicyOf(definition), maxRecoveries: maxRecoveriesOf(definition) };
    }
    if (part.kind !== 'events') continue;
    for (const event of part.events) {
      if (event.kind === 'transition') transitions.push(event);
      if (event.kind === 'result') result = event;
    }
  }
  // The reader has refused a document without one.
  if (record === undefined) throw new Error('the document has no record');
  return { record, machine, recovery, transitions, result };
}

function* stepsOf(
  transitions: readonly Transition[],
  recovery: RecoveryPolicy | undefined,
): Generator<ReplayStep> {
  let before: Fields = {};
  let index = 0;
  for (const { context } of machineStates(transitions, recovery)) {
    const transition = transitions[index];
    if (transition === undefined) return;
    index += 1;
    const { sequence, time, attempt, from, to, eventType, reasonCode } = transition;
    yield {
      sequence,
      time: new Date(time).toISOString(),
      attempt,
      from,
      to,
      eventType,
      reasonCode,
      changes: changesOf(before, context),
    };
    before = context;
  }
}

/** A result is in the log as a mark: what it says is the record's, which changes no more. */
function endOf(
  { sequence, time, attempt, status }: Result,
  from: string,
  { outcome }: ExecutionRecord,
): ReplayStep {
  return {
    sequence,
    time: new Date(time).toISOString(),
    attempt,
    from,
    to: status,
    eventType: 'result',
    reasonCode: outcome === undefined || outcome.status === 'completed' ? '' : outcome.code,
    changes: {},
  };
}

function changesOf(before: Fields, after: Fields): ReplayStep['changes'] {
  return Object.fromEntries(
    Object.entries(after)
      .filter(([name, value]) => !isDeepStrictEqual(value, before[name] ?? null))
      .map(([name, value]) => [
        name,
        { ...(before[name] !== undefined && { before: before[name] }), after: value },
      ]),
  );
}

/** Transitions that do not begin where the one before ended. */
function gaps(steps: readonly ReplayStep[]): ReplayFinding[] {
  return steps.flatMap(({ sequence, from }, index) => {
    const at = steps[index - 1]?.to ?? '';
    if (from === at) return [];
    return [{ subject: `#${sequence}`, message: `goes on from ${from}, and the log has led to ${at}` }];
  });
}

/** What the record and the machine of the snapshot say differently than the log. */
function differences(replayed: Replayed, state: string, { record, machine }: Contents): ReplayFinding[] {
  const { context } = replayed;
  const { startAt, total } = record.deadlines;
  const told: [subject: string, recorded: unknown, logged: unknown][] = [
    ['executionId', record.executionId, context.executionId],
    ['state', record.state, state],
    ['status', record.status, state.split('.', 1)[0]],
    ['attempt', record.attempt, context.attempt],
    ['deadlines.total', total, context.totalDeadline],
    ['recoveries', record.recoveries ?? 0, context.recoveries],
  ];
  if (context.startAt !== null) told.push(['deadlines.startAt', startAt, context.startAt]);
  if (machine?.chartVersion === executionChartVersion) told.push(...machineFields(replayed, machine));
  return told
    .filter(([, recorded, logged]) => !isDeepStrictEqual(recorded, logged))
    .map(([subject, recorded, logged]) => ({
      subject,
      message: `is ${shown(recorded)} in the snapshot, and the log leads to ${shown(logged)}`,
    }));
}

/** Fields of the persisted machine in the snapshot, each beside what the log makes of it. */
function machineFields(replayed: Replayed, { snapshot }: MachinePart): [string, unknown, unknown][] {
  const written = isObject(snapshot) ? snapshot : {};
  const made = storedOf(replayed);
  const context = isObject(written.context) ? written.context : {};
  return [
    ['machine.value', written.value, made.value],
    ...Object.entries(context).map(([name, value]): [string, unknown, unknown] => [
      `machine.context.${name}`,
      value,
      made.context[name],
    ]),
  ];
}

/** The machine as a snapshot has it: plain JSON. */
function storedOf(replayed: Replayed): { readonly value: unknown; readonly context: Fields } {
  return JSON.parse(JSON.stringify(persisted(replayed)));
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? 'absent';
}
