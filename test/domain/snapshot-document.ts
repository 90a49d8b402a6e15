/** Documents for the tests of their reader, from parts that fit together. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { NewEvent } from '../../src/domain/event.ts';
import type { ExecutionRecord } from '../../src/domain/execution.ts';
import type { SnapshotPart } from '../../src/domain/snapshot/parts.ts';
import {
  EventLines,
  firstLine,
  lastLine,
  partLine,
  pieces,
  sealLine,
} from '../../src/domain/snapshot/writer.ts';
import { taskWith } from '../support/samples.ts';

export const executionId = 'exec_01hzzzzzzzzzzzzzzzzzzzzzzz';
const time = 1_750_000_000_000;

export function recordWith(more: Partial<ExecutionRecord> = {}): ExecutionRecord {
  return {
    executionId,
    taskId: taskWith().taskId,
    taskName: 'echo',
    taskRevision: 1,
    functionName: '',
    mode: 'async',
    invocationId: 'once',
    payloadDigest: 'b'.repeat(64),
    requestId: 'once',
    metadata: { a: 'b' },
    contentType: '',
    cancelOnDisconnect: false,
    deadlines: { total: time + 300_000 },
    status: 'running',
    state: 'running.attempting',
    attempt: 1,
    instanceId: 'inst_1',
    createdAt: time,
    startedAt: time + 1,
    queueTimeMs: 1,
    executionTimeMs: 0,
    lastSequence: 2,
    attemptSequence: 2,
    outputBytes: 0,
    outputEvents: 0,
    droppedBytes: 0,
    resourceUse: {},
    ...more,
  };
}

/** The first two events of a log that runs. */
export const beginning: readonly NewEvent[] = [
  {
    kind: 'transition',
    sequence: 1,
    time,
    status: 'pending',
    attempt: 0,
    from: '',
    to: 'pending.queued',
    eventType: 'admit',
    reasonCode: '',
    contextPatch: '{"attempt":0}',
    chartVersion: 2,
  },
  {
    kind: 'transition',
    sequence: 2,
    time: time + 1,
    status: 'running',
    attempt: 1,
    from: 'pending.queued',
    to: 'running.attempting',
    eventType: 'dispatch',
    reasonCode: '',
    contextPatch: '{"attempt":1}',
    chartVersion: 2,
  },
];

interface Contents {
  readonly record?: ExecutionRecord;
  readonly input?: Uint8Array;
  readonly chunks?: readonly Uint8Array[];
  readonly artifact?: Uint8Array;
}

/** The parts of an execution that runs, with this input, output and artifact. */
export function partsWith({ record, input = new Uint8Array(), chunks = [], artifact }: Contents = {}) {
  const events: NewEvent[] = chunks.map((data, index) => ({
    kind: 'chunk',
    stream: index % 2 === 0 ? 'stdout' : 'stderr',
    data,
    sequence: 3 + index,
    time: time + 2 + index,
    status: 'running',
    attempt: 1,
  }));
  const { definition, ...task } = taskWith();
  const parts: SnapshotPart[] = [
    {
      kind: 'header',
      versions: { envelope: 1, chart: 2 },
      program: 'spear 0',
      nodeId: 'node_1',
      takenAt: time + 10,
      executionId,
      detached: false,
      redacted: true,
      carried: ['everything'],
      notCarried: [],
    },
    { kind: 'task', task: { ...task, definition: { ...definition, environment: { SECRET: null } } } },
    {
      kind: 'record',
      record:
        record ??
        recordWith({
          lastSequence: 2 + chunks.length,
          outputBytes: chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0),
          outputEvents: chunks.length,
        }),
    },
    {
      kind: 'invocation',
      invocation: {
        functionName: '',
        parameters: { x: [1, { y: null }] },
        contentType: '',
        args: ['a'],
        environment: { B: 'c' },
        forceNewInstance: false,
        inputBytes: input.byteLength,
      },
    },
    ...Array.from(pieces(input), (data) => ({ kind: 'input' as const, data })),
    { kind: 'machine', chartVersion: 2, snapshot: { status: 'active', value: { running: 'attempting' } } },
    { kind: 'events', events: [...beginning, ...events] },
    { kind: 'artifact', digest: 'a'.repeat(64), bytes: artifact?.byteLength ?? 0 },
    ...Array.from(pieces(artifact ?? new Uint8Array()), (data) => ({ kind: 'artifactBytes' as const, data })),
  ];
  return parts;
}

/** The lines of parts as `spear snapshot` writes them: events in pieces of the usual size. */
export function linesOf(parts: readonly SnapshotPart[]): string[] {
  return parts.flatMap((part) => {
    if (part.kind !== 'events') return [partLine(part)];
    const lines = new EventLines();
    return [...part.events.map((event) => lines.add(event)), lines.end()].filter(
      (line) => line !== undefined,
    );
  });
}

/** The whole document of some lines of parts, sealed as it is. */
export function sealed(lines: readonly string[]): Buffer {
  const body = Buffer.from(firstLine + lines.join(''));
  const sha256 = createHash('sha256').update(body).digest('hex');
  return Buffer.concat([body, Buffer.from(sealLine({ kind: 'seal', sha256 }) + lastLine)]);
}

/** Bytes as anything can be. */
export const blobs = (most: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: 1, maxLength: most });
