/**
 * Writes executions down as documents: see `domain/snapshot/parts.ts` for what they are made of, and `restoring.ts`
 * for the way back. Everything comes from the store, so that a live execution is taken at its last committed event and
 * is not disturbed.
 */
import type { Clock } from '../../domain/clock.ts';
import { takesOutput } from '../../domain/dependency.ts';
import { invalidArgument, notFound, RequestError } from '../../domain/errors.ts';
import { type ExecutionRecord, type Invocation, isTerminal, type JsonValue } from '../../domain/execution.ts';
import type { Transfers } from '../../domain/executions.ts';
import { recoveryOf } from '../../domain/interruption.ts';
import { type Contents, carriedLines, isRedacted, notCarriedLines } from '../../domain/snapshot/contents.ts';
import { envelopeVersion, type Header, type RedactedEnvironment } from '../../domain/snapshot/parts.ts';
import type { TakenSnapshot, TakeOptions } from '../../domain/snapshot/port.ts';
import { EventLines, partLine, pieces } from '../../domain/snapshot/writer.ts';
import { type Artifact, isOf, type Task } from '../../domain/task.ts';
import { executionChartVersion } from '../../machines/execution.ts';
import { persisted, type Replayed, replay } from '../../machines/replay.ts';
import type { Store } from '../../stores/store.ts';
import type { NodeTime } from '../time/node-time.ts';
import { documentOf } from './document.ts';
import { clockAt } from './document-clock.ts';
import { leavesAttempt } from './left-attempt.ts';
import type { SnapshotKeys } from './seals.ts';
import { logEvents, type Taken, takenRecord, wasMoved } from './taken-record.ts';

export interface TakingOptions {
  readonly store: Store;
  readonly transfers: Pick<Transfers, 'detach'>;
  /** The bytes of WebAssembly artifacts. */
  readonly artifacts: { load(sha256: string): Promise<Uint8Array> };
  readonly clock: Clock;
  readonly time: NodeTime;
  readonly nodeId: string;
  /** Name and version of this program. */
  readonly program: string;
  readonly keys: SnapshotKeys;
}

/** What a document needs beside the record and the log. */
interface Belongings {
  readonly task: Task | undefined;
  readonly invocation: Invocation;
  readonly artifactBytes: Uint8Array | undefined;
}

/** See Snapshots.take. */
export async function takeSnapshot(
  options: TakingOptions,
  executionId: string,
  wishes: TakeOptions,
): Promise<TakenSnapshot> {
  const { store, transfers, clock } = options;
  const found = await store.execution(executionId);
  if (found === undefined) throw notFound('execution', executionId);
  assertCarriesItsInput(found);
  // All that can be missing is looked for before anything is moved.
  const belongings = await gather(options, found, wishes);
  const record = wishes.detach && !wasMoved(found) ? await transfers.detach(executionId, wishes.by) : found;
  const taken = await takenRecord(store, record, Math.round(clock.now()));
  const { task, invocation, artifactBytes } = belongings;
  const machine = isTerminal(taken.record.status) ? undefined : replayOf(taken, task);
  const contents: Contents = {
    record: taken.record,
    definition: task?.definition,
    inputBytes: invocation.input.byteLength,
    variables: variablesOf(belongings),
    withEnvironment: wishes.includeEnvironment,
    withArtifact: artifactBytes !== undefined,
    leavesAttempt: machine !== undefined && leavesAttempt(machine),
  };
  const header: Header = {
    kind: 'header',
    versions: {
      envelope: envelopeVersion,
      chart: taken.transitions.at(-1)?.chartVersion ?? executionChartVersion,
    },
    program: options.program,
    nodeId: options.nodeId,
    takenAt: taken.takenAt,
    clock: clockAt(options.time, taken.takenAt),
    executionId,
    detached: taken.detached,
    redacted: isRedacted(contents),
    carried: carriedLines(contents),
    notCarried: notCarriedLines(contents),
  };
  return {
    record: taken.record,
    detached: taken.detached,
    carried: header.carried,
    notCarried: header.notCarried,
    bytes: documentOf(lines(store, header, taken, belongings, machine, wishes), options.keys.signing),
  };
}

/** What waits for others, or is given their output, would go on where those are not. */
function assertCarriesItsInput(record: ExecutionRecord): void {
  const { executionId, state } = record;
  if (isTerminal(record.status) || !(record.blocked === true || takesOutput(record))) return;
  const why = record.blocked === true ? 'it waits for executions' : 'it is given output of executions';
  throw new RequestError(
    'failed_precondition',
    `${executionId} is ${state}: ${why} of this node (depends_on), which a snapshot does not carry`,
    { reason: 'STATE_NOT_ALLOWED', metadata: { execution_id: executionId, state } },
  );
}

async function* lines(
  store: Store,
  header: Header,
  { record }: Taken,
  { task, invocation, artifactBytes }: Belongings,
  machine: Replayed | undefined,
  { includeEnvironment }: TakeOptions,
): AsyncGenerator<string> {
  const environment = includeEnvironment ? (given: RedactedEnvironment) => given : redacted;
  yield partLine(header);
  if (task !== undefined) {
    const { definition } = task;
    yield partLine({
      kind: 'task',
      task: { ...task, definition: { ...definition, environment: environment(definition.environment) } },
    });
  }
  yield partLine({ kind: 'record', record });
  const { input, ...rest } = invocation;
  yield partLine({
    kind: 'invocation',
    invocation: {
      ...rest,
      functionName: record.functionName,
      contentType: record.contentType,
      environment: environment(invocation.environment),
      inputBytes: input.byteLength,
    },
  });
  for (const data of pieces(input)) yield partLine({ kind: 'input', data });
  if (machine !== undefined) {
    yield partLine({
      kind: 'machine',
      chartVersion: machine.chartVersion,
      // XState persists plain JSON.
      snapshot: persisted(machine) as unknown as JsonValue,
    });
  }
  const events = new EventLines();
  for await (const { position: _position, ...event } of logEvents(
    store,
    record.executionId,
    1,
    record.lastSequence,
  )) {
    const line = events.add(event);
    if (line !== undefined) yield line;
  }
  const left = events.end();
  if (left !== undefined) yield left;
  if (task === undefined) return;
  yield partLine({
    kind: 'artifact',
    digest: digestOf(task.definition.artifact),
    bytes: artifactBytes?.byteLength ?? 0,
  });
  for (const data of pieces(artifactBytes ?? new Uint8Array()))
    yield partLine({ kind: 'artifactBytes', data });
}

async function gather(
  { store, artifacts }: TakingOptions,
  record: ExecutionRecord,
  { includeArtifact }: TakeOptions,
): Promise<Belongings> {
  const { executionId, taskId, taskRevision } = record;
  const known = await store.taskRevision(taskId, taskRevision);
  // What came as a record alone may name a task that is another's here.
  const task = known !== undefined && isOf(known, record) ? known : undefined;
  const invocation = await store.input(executionId);
  if (invocation === undefined) throw notFound('execution', executionId);
  const needed = !isTerminal(record.status) || wasMoved(record);
  if (task === undefined && (needed || includeArtifact)) {
    throw new RequestError(
      'failed_precondition',
      `${executionId} runs ${taskId}, of which this node no longer has revision ${taskRevision}`,
      { reason: 'TASK_NOT_KEPT', metadata: { task: taskId } },
    );
  }
  const artifact = includeArtifact ? task?.definition.artifact : undefined;
  const artifactBytes = artifact === undefined ? undefined : await bytesOf(artifacts, artifact);
  return { task, invocation, artifactBytes };
}

async function bytesOf(artifacts: TakingOptions['artifacts'], artifact: Artifact): Promise<Uint8Array> {
  if (artifact.kind !== 'wasm') {
    throw invalidArgument(
      'include_artifact',
      artifact.kind === 'docker'
        ? `is for WebAssembly; take the image along with docker save ${artifact.image}`
        : `is for WebAssembly; take ${artifact.path} along yourself`,
    );
  }
  try {
    return await artifacts.load(artifact.sha256);
  } catch (cause) {
    throw new RequestError(
      'failed_precondition',
      `the bytes of artifact ${artifact.sha256} cannot be read here; register the task again`,
      { reason: 'ARTIFACT_UNAVAILABLE', cause },
    );
  }
}

function replayOf({ transitions }: Taken, task: Task | undefined): Replayed {
  return replay(transitions, task === undefined ? undefined : recoveryOf(task.definition));
}

function variablesOf({ task, invocation }: Belongings): string[] {
  const names = new Set([
    ...Object.keys(task?.definition.environment ?? {}),
    ...Object.keys(invocation.environment),
  ]);
  return [...names].sort();
}

function redacted(environment: RedactedEnvironment): RedactedEnvironment {
  return Object.fromEntries(Object.keys(environment).map((name) => [name, null]));
}

function digestOf(artifact: Artifact): string {
  return artifact.kind === 'docker' ? artifact.imageId : artifact.sha256;
}
