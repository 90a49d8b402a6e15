/** Ways to spoil a forged history. */
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { type ErrorCode, ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { calm, type Forged, forged } from './forged.ts';
import type { ForgedFinal } from './forged-execution.ts';
import type { Terms } from './history.ts';

export type Spoil = readonly [rule: string, what: string, spoil: (history: Forged) => void];

export function final(history: Forged, executionId: string): ForgedFinal {
  const found = history.finals.get(executionId);
  if (found === undefined) throw new Error(`no ${executionId}`);
  return found;
}

/** Changes the record and the result event alike, as a server that is wrong about it would. */
export function setResult(
  history: Forged,
  executionId: string,
  change: Partial<ForgedFinal['result']>,
): void {
  const { result, log } = final(history, executionId);
  Object.assign(result, change);
  const end = log.at(-1);
  if (end?.event.case !== 'result') throw new Error('no result');
  Object.assign(end.event.value, change);
  end.status = result.status;
  end.attempt = result.attempt;
}

export function setTerms(history: Forged, number: number, change: Partial<Terms>): void {
  const plan = history.plans.get(number);
  if (plan !== undefined) history.plans.set(number, { ...plan, terms: { ...plan.terms, ...change } });
}

export function setPatch(history: Forged, executionId: string, at: number, patch: object): void {
  const event = final(history, executionId).log[at]?.event;
  if (event?.case === 'transition') event.value.contextPatch = JSON.stringify(patch);
}

export function failedWith(errorCode: ErrorCode, status = ExecutionStatus.FAILED, state = 'failed') {
  return { status, state, errorCode };
}

/** When the forged executions were admitted. */
export const createdAt = timestampMs(final(forged(), calm).result.createdAt ?? timestampFromMs(0));
export const at = (ms: number) => timestampFromMs(createdAt + ms);
