/** The status of an execution, in words. */
import type { ExecutionResult } from '../server/gen/spearlet/function_pb.js';
import { statusText } from './outcome.ts';

/** `pending, in pending.held`; a status that is final says all. */
export function statusWords({ status, state }: Pick<ExecutionResult, 'status' | 'state'>): string {
  return state.includes('.') ? `${statusText(status)}, in ${state}` : statusText(status);
}

/** It goes on when somebody resumes it, and not before. */
export function isHeld({ allowedEvents }: Pick<ExecutionResult, 'allowedEvents'>): boolean {
  return allowedEvents.includes('resume');
}

/** What sets it apart from most others, in a few words each. */
export function remarks(result: ExecutionResult): readonly string[] {
  const { state, recoveries, originExecutionId, oldestSequence, webhooks } = result;
  const { cachedFromExecutionId, rerunOfExecutionId } = result;
  const words: string[] = [];
  if (isHeld(result)) words.push(state.slice(state.lastIndexOf('.') + 1));
  if (recoveries > 0) words.push(recoveriesText(recoveries));
  if (originExecutionId !== '') words.push(`restored from ${originExecutionId}`);
  if (rerunOfExecutionId !== '') words.push(`runs ${rerunOfExecutionId} again`);
  if (cachedFromExecutionId !== '') words.push(`result of ${cachedFromExecutionId}`);
  if (webhooks > 0) words.push(webhooks === 1 ? '1 webhook' : `${webhooks} webhooks`);
  if (oldestSequence > 1n) words.push(`log from #${oldestSequence}`);
  return words;
}

function recoveriesText(count: number): string {
  return count === 1 ? '1 recovery' : `${count} recoveries`;
}
