import { type EventBody, maxChunkBytes, type NewEvent } from '../event.ts';
import { executionStatuses } from '../execution.ts';
import { networkRules } from '../network/network-list.ts';
import {
  bytes,
  type Check,
  instant,
  json,
  jsonText,
  list,
  Mismatch,
  object,
  oneOf,
  optional,
  text,
  truth,
  whole,
} from '../schema/check.ts';
import { recordCheck } from '../schema/execution-record.ts';
import { invocationFields } from '../schema/invocation.ts';
import { digest, executionId, label, mostCount, statePath } from '../schema/values.ts';
import {
  type ArtifactBytesPart,
  type ArtifactPart,
  type DocumentClock,
  type EventsPart,
  type Header,
  type InputPart,
  type InvocationPart,
  type MachinePart,
  pieceBytes,
  type RecordPart,
  type Seal,
  type SnapshotPart,
  type TaskPart,
} from './parts.ts';
import { redactedEnvironment, taskCheck } from './task-check.ts';

/** The contract's 4 KiB, and room for an admission that has to say all of the context. */
const mostPatchBytes = 64 * 1024;
const mostEvents = 4096;
/** The largest artifact. */
const mostArtifactBytes = 1024 * 1024 * 1024;
const mostVersion = 1_000_000;

type Body<Kind extends EventBody['kind']> = Omit<Extract<NewEvent, { kind: Kind }>, 'kind'> & {
  readonly type: Kind;
};

const head = {
  sequence: whole(1),
  time: instant,
  status: oneOf(...executionStatuses),
  attempt: whole(0, mostCount),
  by: optional(text(256)),
};

const events: { readonly [Kind in EventBody['kind']]: Check<Body<Kind>> } = {
  transition: object<Body<'transition'>>({
    ...head,
    type: oneOf('transition'),
    from: text(128),
    to: statePath,
    eventType: label,
    reasonCode: text(64, /^[A-Z_]*$/),
    contextPatch: jsonText(mostPatchBytes),
    chartVersion: whole(1, mostVersion),
  }),
  chunk: object<Body<'chunk'>>({
    ...head,
    type: oneOf('chunk'),
    stream: oneOf('stdout', 'stderr'),
    data: bytes(maxChunkBytes),
  }),
  refusal: object<Body<'refusal'>>({
    ...head,
    type: oneOf('refusal'),
    host: label,
    port: whole(0, 65_535),
    address: label,
    rule: oneOf(...networkRules, ''),
    more: whole(0),
  }),
  result: object<Body<'result'>>({ ...head, type: oneOf('result') }),
};

const event: Check<NewEvent> = (value, path) => {
  const given = value !== null && typeof value === 'object' && 'type' in value ? value.type : undefined;
  const { type, ...rest } = events[oneOf('transition', 'chunk', 'refusal', 'result')(given, `${path}.type`)](
    value,
    path,
  );
  if (type === 'chunk' && 'data' in rest && rest.data.byteLength === 0) {
    throw new Mismatch(`${path}.data`, 'is empty');
  }
  // The check of a type gives that type's fields.
  return { kind: type, ...rest } as NewEvent;
};

const lines = list(text(4096), 256);

const header = object<Header>({
  kind: oneOf('header'),
  versions: object({ envelope: whole(1, mostVersion), chart: whole(1, mostVersion) }),
  program: label,
  nodeId: label,
  takenAt: instant,
  clock: optional(object<DocumentClock>({ time: instant, boot: label, uptimeMs: instant })),
  executionId,
  detached: truth,
  redacted: truth,
  carried: lines,
  notCarried: lines,
});

/** The largest request that any node takes. */
const mostInputBytes = 128 * 1024 * 1024;

const invocation = object<InvocationPart['invocation']>({
  ...invocationFields,
  environment: redactedEnvironment,
  inputBytes: whole(0, mostInputBytes),
});

const checks: { readonly [Kind in SnapshotPart['kind']]: Check<Extract<SnapshotPart, { kind: Kind }>> } = {
  header,
  task: object<TaskPart>({ kind: oneOf('task'), task: taskCheck }),
  record: object<RecordPart>({ kind: oneOf('record'), record: recordCheck }),
  invocation: object<InvocationPart>({ kind: oneOf('invocation'), invocation }),
  input: object<InputPart>({ kind: oneOf('input'), data: bytes(pieceBytes) }),
  machine: object<MachinePart>({
    kind: oneOf('machine'),
    chartVersion: whole(1, mostVersion),
    snapshot: json,
  }),
  events: object<EventsPart>({ kind: oneOf('events'), events: list(event, mostEvents) }),
  artifact: object<ArtifactPart>({
    kind: oneOf('artifact'),
    digest,
    bytes: whole(0, mostArtifactBytes),
  }),
  artifactBytes: object<ArtifactBytesPart>({ kind: oneOf('artifactBytes'), data: bytes(pieceBytes) }),
};

const seal = object<Seal>({
  kind: oneOf('seal'),
  sha256: digest,
  publicKey: optional(text(256)),
  signature: optional(text(256)),
});

/** A part of one of the kinds that may stand here. Throws a Mismatch. */
export function partCheck(value: unknown, allowed: readonly SnapshotPart['kind'][]): SnapshotPart {
  const given = value !== null && typeof value === 'object' && 'kind' in value ? value.kind : undefined;
  const kind = oneOf(...allowed)(given, 'kind');
  return checks[kind](value, kind);
}

export function sealCheck(value: unknown): Seal {
  const found = seal(value, 'seal');
  if ((found.publicKey === undefined) !== (found.signature === undefined)) {
    throw new Mismatch('seal', 'has a signature or a key, and not the other');
  }
  return found;
}
