/**
 * A snapshot as a document: one valid JSON document that is also a list of lines, so that both sides stream it.
 *
 * line 1      {"spearSnapshot":1,"parts":[
 * then        one part a line, each followed by a comma: header, task, record, invocation, input…, machine, events…,
 *             artifact, artifactBytes…
 * at last     the seal without a comma, and a line with ]}
 *
 * - The seal holds the SHA-256 of every byte before its own line, so nothing of the document can be changed, moved or
 *   reformatted unnoticed.
 * - Only lines whose content has no pieces (a task, a record, parameters) may be longer than `usualLineBytes`.
 */
import type { NewEvent } from '../event.ts';
import type { ExecutionRecord, Invocation, JsonValue } from '../execution.ts';
import type { Task, TaskDefinition } from '../task.ts';

/** Raised with every change of the envelope or of a part that an older reader would misread. */
export const envelopeVersion = 1;
/** Those that can be read. */
export const knownEnvelopes: readonly number[] = [1];

export const usualLineBytes = 128 * 1024;
/** Bytes of one piece of an input or artifact: a line of base64 with its surroundings. */
export const pieceBytes = 90 * 1024;

/** Variables whose values may have been left out: null says so. */
export type RedactedEnvironment = Readonly<Record<string, string | null>>;

/** What the document is, for people and for a reader that decides whether to go on. */
export interface Header {
  readonly kind: 'header';
  /** Chart is what the log's transitions were made by. */
  readonly versions: { readonly envelope: number; readonly chart: number };
  /** Name and version of what wrote it. */
  readonly program: string;
  readonly nodeId: string;
  /** When the timers stopped, in milliseconds since the epoch. */
  readonly takenAt: number;
  /** That moment on the clocks of what wrote it; versions up to 0.1.0 did not tell. */
  readonly clock?: DocumentClock;
  readonly executionId: string;
  /** The execution ended with MOVED where it came from. */
  readonly detached: boolean;
  /** Values of environment variables were left out. */
  readonly redacted: boolean;
  /** A line each, for people. */
  readonly carried: readonly string[];
  readonly notCarried: readonly string[];
}

export interface DocumentClock {
  /** In milliseconds since the epoch, as the instants in the log count; not the wall clock's where that was set. */
  readonly time: number;
  /** Names the start of the machine that `uptimeMs` counts from; empty where that is not known. */
  readonly boot: string;
  readonly uptimeMs: number;
}

export interface TaskPart {
  readonly kind: 'task';
  readonly task: Omit<Task, 'definition'> & { readonly definition: RedactedDefinition };
}

export type RedactedDefinition = Omit<TaskDefinition, 'environment'> & {
  readonly environment: RedactedEnvironment;
};

export interface RecordPart {
  readonly kind: 'record';
  readonly record: ExecutionRecord;
}

export interface InvocationPart {
  readonly kind: 'invocation';
  readonly invocation: Omit<Invocation, 'input' | 'environment'> & {
    readonly environment: RedactedEnvironment;
    /** Of the input, which follows in pieces. */
    readonly inputBytes: number;
  };
}

/** A piece of the input. */
export interface InputPart {
  readonly kind: 'input';
  readonly data: Uint8Array;
}

/** The persisted machine, of an execution that has not ended. The log's transitions lead to the same. */
export interface MachinePart {
  readonly kind: 'machine';
  readonly chartVersion: number;
  readonly snapshot: JsonValue;
}

export interface EventsPart {
  readonly kind: 'events';
  readonly events: readonly NewEvent[];
}

export interface ArtifactPart {
  readonly kind: 'artifact';
  /** Hex SHA-256 of a program or component, or the id of an image. */
  readonly digest: string;
  /** Of the bytes that follow in pieces; 0 where it is not carried. */
  readonly bytes: number;
}

export interface ArtifactBytesPart {
  readonly kind: 'artifactBytes';
  readonly data: Uint8Array;
}

export interface Seal {
  readonly kind: 'seal';
  /** Hex, over every byte before this line. */
  readonly sha256: string;
  /** Ed25519, as DER of its SubjectPublicKeyInfo in base64. */
  readonly publicKey?: string;
  /** In base64, over `signedText` of the digest. */
  readonly signature?: string;
}

export type SnapshotPart =
  | Header
  | TaskPart
  | RecordPart
  | InvocationPart
  | InputPart
  | MachinePart
  | EventsPart
  | ArtifactPart
  | ArtifactBytesPart;

/** What a signature is over. */
export function signedText(sha256: string): string {
  return `spear snapshot ${envelopeVersion}\n${sha256}`;
}
