/** One execution as the page knows it: the model of `ExecutionResult`. */
import type { ExecutionResultJson } from '../wire.ts';
import { bytesOf, enumWord, instantOf, numberOf } from './scalar.ts';
import { type Status, statusOf } from './status.ts';

export type ErrorOrigin = 'user' | 'policy' | 'platform';

export interface ResourceUse {
  readonly cpuTimeUs: number;
  readonly peakMemoryBytes: number;
  readonly droppedBytes: number;
}

export interface Termination {
  readonly rung: string;
  readonly tookMs: number;
}

export interface ExecutionRow {
  readonly id: string;
  readonly status: Status;
  /** Path in the chart, such as `running.backingOff`. */
  readonly state: string;
  readonly mode: 'sync' | 'async' | 'stream';
  readonly tenant: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  readonly functionName: string;
  readonly instanceId: string;
  readonly attempt: number;
  readonly recoveries: number;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly completedAt: number | undefined;
  readonly queueTimeMs: number;
  readonly executionTimeMs: number;
  /** When this view was taken. */
  readonly seenAt: number;
  /** Without its prefix, such as `FUNCTION_EXIT`; empty where there is none. */
  readonly errorCode: string;
  readonly errorOrigin: ErrorOrigin | undefined;
  readonly errorMessage: string;
  readonly exitCode: number | undefined;
  readonly termination: Termination | undefined;
  readonly requestId: string;
  /** Empty for none. */
  readonly traceId: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly allowedEvents: readonly string[];
  readonly resourceUse: ResourceUse | undefined;
  readonly loosened: readonly string[];
  readonly oldestSequence: number;
  readonly originExecutionId: string;
  /** The batch that it is a member of; empty for none. */
  readonly batchId: string;
  /** The execution that it runs again, and the name of the run that did so; empty for none. */
  readonly rerunOf: string;
  readonly rerunId: string;
  /** The schedule that has fired it; empty for any other. */
  readonly schedule: string;
  readonly cached: CachedResult | undefined;
  /** How many its end is told to; until then, how many it may be. */
  readonly webhooks: number;
  readonly output: Uint8Array;
  readonly errorOutput: Uint8Array;
  readonly contentType: string;
  readonly outputBytes: number;
  readonly outputTruncated: boolean;
}

/** Whose result it has, and when that had ended. */
interface CachedResult {
  readonly from: string;
  readonly fromAt: number | undefined;
}

// Twenty thousand rows share what most of them have.
const noEntries = Object.freeze({});
const noLines: readonly string[] = Object.freeze([]);
const words = new Map<string, string>();

export function rowOf(json: ExecutionResultJson): ExecutionRow {
  const created = instantOf(json.createdAt) ?? 0;
  return {
    id: json.executionId,
    status: statusOf(json.status),
    state: shared(json.state),
    mode: modeOf(json.mode),
    tenant: shared(json.tenant),
    taskId: shared(json.taskId),
    taskName: shared(json.taskName),
    taskRevision: json.taskRevision,
    functionName: shared(json.functionName),
    instanceId: json.instanceId,
    attempt: json.attempt,
    recoveries: json.recoveries,
    createdAt: created,
    startedAt: instantOf(json.startedAt),
    completedAt: instantOf(json.completedAt),
    queueTimeMs: numberOf(json.queueTimeMs),
    executionTimeMs: numberOf(json.executionTimeMs),
    seenAt: instantOf(json.timestamp) ?? created,
    errorCode: shared(enumWord(json.errorCode, 'ERROR_CODE_')),
    errorOrigin: originOf(json.errorOrigin),
    errorMessage: json.errorMessage,
    exitCode: json.exitCode,
    termination: json.termination && {
      rung: json.termination.rung,
      tookMs: numberOf(json.termination.tookMs),
    },
    requestId: json.requestId,
    traceId: json.traceId,
    metadata: sharedEntries(json.metadata),
    labels: sharedEntries(json.labels),
    allowedEvents: json.allowedEvents.length === 0 ? noLines : json.allowedEvents.map(shared),
    resourceUse: json.resourceUse && {
      cpuTimeUs: numberOf(json.resourceUse.cpuTimeUs),
      peakMemoryBytes: numberOf(json.resourceUse.peakMemoryBytes),
      droppedBytes: numberOf(json.resourceUse.droppedBytes),
    },
    loosened: json.loosened.length === 0 ? noLines : json.loosened,
    oldestSequence: numberOf(json.oldestSequence),
    originExecutionId: json.originExecutionId,
    batchId: shared(json.batchId),
    rerunOf: json.rerunOfExecutionId,
    rerunId: shared(json.rerunId),
    schedule: shared(json.schedule),
    cached:
      json.cachedFromExecutionId === ''
        ? undefined
        : { from: json.cachedFromExecutionId, fromAt: instantOf(json.cachedAt) },
    // Histories of older nodes have none.
    webhooks: numberOf(json.webhooks),
    output: bytesOf(json.output),
    errorOutput: bytesOf(json.errorOutput),
    contentType: shared(json.contentType),
    outputBytes: numberOf(json.outputBytes),
    outputTruncated: json.outputTruncated,
  };
}

/** From the admission to the end, or to an instant while it goes on. */
export function durationOf(row: ExecutionRow, at: number): number {
  return Math.max(0, (row.completedAt ?? at) - row.createdAt);
}

function modeOf(name: string): ExecutionRow['mode'] {
  const word = enumWord(name, 'EXECUTION_MODE_');
  if (word === 'ASYNC') return 'async';
  return word === 'STREAM' ? 'stream' : 'sync';
}

function originOf(name: string): ErrorOrigin | undefined {
  const word = enumWord(name, 'ERROR_ORIGIN_');
  if (word === 'USER') return 'user';
  if (word === 'POLICY') return 'policy';
  return word === 'PLATFORM' ? 'platform' : undefined;
}

function sharedEntries(entries: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.keys(entries).length === 0 ? noEntries : entries;
}

/** The one copy of a string that comes again and again. */
function shared(text: string): string {
  const known = words.get(text);
  if (known !== undefined) return known;
  if (words.size > 5000) words.clear();
  words.set(text, text);
  return text;
}
