import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import type { ExecutionResult as Message } from '../server/gen/spearlet/function_pb.js';
import {
  type ErrorCodeName,
  type ErrorOriginName,
  errorCodeName,
  errorOriginName,
  type ModeName,
  modeName,
  type PriorityName,
  priorityName,
  type StatusName,
  statusName,
} from './wire-names.ts';

/** What an attempt used, as far as its runtime can tell. */
export interface ResourceUse {
  readonly cpuTimeMs: number;
  readonly peakMemoryBytes: number;
}

/** The record of an execution, as it was when it was read. */
export class ExecutionResult {
  readonly executionId: string;
  readonly taskId: string;
  readonly taskName: string;
  readonly taskRevision: number;
  /** Empty for the default entry. */
  readonly functionName: string;
  readonly status: StatusName;
  /** The finer state, such as `running.backingOff`. */
  readonly state: string;
  readonly isCompleted: boolean;
  /** The last attempt's standard output, or a typed function's value as JSON. */
  readonly output: Uint8Array;
  /** The last attempt's standard error. */
  readonly errorOutput: Uint8Array;
  readonly contentType: string;
  /** There was more output than is here, and the log does not have it any more, or it was not asked for. */
  readonly outputTruncated: boolean;
  /** A command's; absent where it has not ended by itself. */
  readonly exitCode: number | undefined;
  /** Absent where it has not failed. */
  readonly errorCode: ErrorCodeName | undefined;
  readonly errorOrigin: ErrorOriginName | undefined;
  readonly errorMessage: string;
  /** The number of the last attempt; 0 before the first. */
  readonly attempt: number;
  /** Attempts that were lost because their node crashed. */
  readonly recoveries: number;
  readonly createdAt: Date | undefined;
  readonly startedAt: Date | undefined;
  readonly completedAt: Date | undefined;
  readonly queueTimeMs: number;
  readonly executionTimeMs: number;
  readonly invocationId: string;
  /** How the call watched that made the execution. */
  readonly mode: ModeName;
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly priority: PriorityName;
  readonly fairnessKey: string;
  readonly tenant: string;
  readonly resourceUse: ResourceUse | undefined;
  /** The trace that it belongs to, as 32 hex digits; empty for none. */
  readonly traceId: string;

  /** @internal */
  constructor(message: Message) {
    this.executionId = message.executionId;
    this.taskId = message.taskId;
    this.taskName = message.taskName;
    this.taskRevision = message.taskRevision;
    this.functionName = message.functionName;
    this.status = statusName(message.status);
    this.state = message.state;
    this.isCompleted = message.isCompleted;
    this.output = message.output;
    this.errorOutput = message.errorOutput;
    this.contentType = message.contentType;
    this.outputTruncated = message.outputTruncated;
    this.exitCode = message.exitCode;
    this.errorCode = errorCodeName(message.errorCode);
    this.errorOrigin = errorOriginName(message.errorOrigin);
    this.errorMessage = message.errorMessage;
    this.attempt = message.attempt;
    this.recoveries = message.recoveries;
    this.createdAt = dateOf(message.createdAt);
    this.startedAt = dateOf(message.startedAt);
    this.completedAt = dateOf(message.completedAt);
    this.queueTimeMs = Number(message.queueTimeMs);
    this.executionTimeMs = message.executionTimeMs;
    this.invocationId = message.requestId;
    this.mode = modeName(message.mode);
    this.metadata = message.metadata;
    this.labels = message.labels;
    this.priority = priorityName(message.priority);
    this.fairnessKey = message.fairnessKey;
    this.tenant = message.tenant;
    this.traceId = message.traceId;
    const use = message.resourceUse;
    this.resourceUse = use && {
      cpuTimeMs: Number(use.cpuTimeUs) / 1000,
      peakMemoryBytes: Number(use.peakMemoryBytes),
    };
  }

  /** The output as UTF-8. */
  text(): string {
    return new TextDecoder().decode(this.output);
  }

  /**
   * The output as JSON: the value of a typed function, with 64-bit integers as strings of digits. Throws a SyntaxError
   * where it is none; `undefined` where there is no output.
   */
  json(): unknown {
    return this.output.byteLength === 0 ? undefined : JSON.parse(this.text());
  }
}

/** @internal */
export function dateOf(timestamp: Timestamp | undefined): Date | undefined {
  return timestamp === undefined ? undefined : timestampDate(timestamp);
}
