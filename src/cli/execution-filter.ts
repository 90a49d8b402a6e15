/** Options by which commands mean executions. */

import { type ErrorCode as Code, errorCodes } from '../domain/errors.ts';
import { executionStatuses, type ExecutionStatus as Status } from '../domain/execution.ts';
import { ErrorCode, ExecutionStatus } from '../server/gen/spearlet/function_pb.js';
import { oneOf } from './flag.ts';

const wireNames: Readonly<Record<Status, Exclude<keyof typeof ExecutionStatus, 'UNSPECIFIED'>>> = {
  pending: 'PENDING',
  running: 'RUNNING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
  timedOut: 'TIMED_OUT',
};

/** Collects the values of `--status`, which may also stand behind each other with a comma between. */
export function collectStatus(allowed: readonly Status[] = executionStatuses) {
  const parse = oneOf('--status', allowed);
  return (text: string, before: readonly ExecutionStatus[] = []): readonly ExecutionStatus[] => [
    ...before,
    ...text.split(',').map((word) => ExecutionStatus[wireNames[parse(word)]]),
  ];
}

/** Collects the values of `--code`, likewise. */
export function collectCode() {
  const parse = oneOf('--code', Object.keys(errorCodes) as Code[]);
  return (text: string, before: readonly ErrorCode[] = []): readonly ErrorCode[] => [
    ...before,
    ...text.split(',').map((word) => ErrorCode[parse(word)]),
  ];
}
