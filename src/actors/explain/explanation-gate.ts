/** What holds back an execution that waits besides the slots, in words. */
import { durationText } from '../../domain/duration.ts';
import type { GateUse } from '../../domain/scheduling/gate.ts';
import { keyWords } from '../../domain/scheduling/task-gates.ts';
import type { HeldTask } from '../queue/slots.ts';

/** Of the first gate that holds it. */
export interface HoldingGate {
  readonly use: GateUse;
  /** It lets nobody through for so long, in milliseconds. */
  readonly heldForMs: number;
  /** Milliseconds; infinity where an attempt has to end first. */
  readonly opensInMs: number;
  /** Of a task that is quarantined. */
  readonly task?: HeldTask;
}

/** What it waits for, after a colon. */
export function gateSentence({ use, task }: HoldingGate): string {
  switch (use.kind) {
    case 'concurrency':
      return `all that may run at a time with concurrency key ${keyWords(use)} do: the limit is ${use.limit}`;
    case 'quota':
      return `all that its tenant may have running are: the limit is ${use.limit}`;
    case 'rate':
      return `the rate of ${keyWords(use)} is used up: ${rateWords(use)}`;
    case 'quotaRate':
      return `the rate of its tenant is used up: ${rateWords(use)}`;
    case 'quarantine':
      return `${use.value} is quarantined: ${quarantineWords(use, task)}`;
    case 'resources':
      return 'the node has too little memory or processor left for it';
  }
}

export function gateDetails(gate: HoldingGate, place: number): string[] {
  const { heldForMs, task } = gate;
  if (task !== undefined) {
    const tries = task.probes === 0 ? [] : [`of those that tried since ${task.probes} failed`];
    return [`quarantined for ${durationText(Math.max(0, heldForMs))}`, ...tries, gateOpening(gate, place)];
  }
  return [
    `nobody has been let through for ${durationText(Math.max(0, heldForMs))}`,
    gateOpening(gate, place),
  ];
}

/** What lets the one at a place go, or the first of its line. */
export function gateOpening({ use, opensInMs, task }: HoldingGate, place: number): string {
  if (use.kind === 'quarantine') {
    return `${probeWords(task, place)}; \`spear task reset ${use.value}\` lets all go at once`;
  }
  if (Number.isFinite(opensInMs)) return `the next one may start in ${durationText(Math.max(0, opensInMs))}`;
  return place === 1
    ? 'it goes on when one of those that hold it ends'
    : 'the first of its line goes on when one of those that hold it ends';
}

/** The limit of a gate as numbers. */
export function gateLimit(use: GateUse): {
  readonly limit: number;
  readonly perMs?: number;
  readonly burst?: number;
} {
  if ('failures' in use) return { limit: use.failures, perMs: use.withinMs };
  if ('units' in use) return { limit: use.units, perMs: use.perMs, burst: use.burst };
  return { limit: use.kind === 'resources' ? use.memoryBytes : use.limit };
}

/**
 * How many failed, and with which code last: its message is that of another execution, which whoever may see one
 * execution alone is not told.
 */
export function quarantineWords(
  { withinMs }: { readonly withinMs: number },
  task: Pick<HeldTask, 'failures' | 'last'> | undefined,
): string {
  const { failures = 0, last } = task ?? {};
  return `${failures} of its attempts failed within ${durationText(withinMs)}, the last with ${last?.code ?? ''}`;
}

function probeWords(task: HeldTask | undefined, place: number): string {
  if (task?.probeInMs === undefined) return 'one of them tries now, and the others follow when it completes';
  const when = `in ${durationText(task.probeInMs)}`;
  return place === 1
    ? `it may try ${when}, and the others follow when it completes`
    : `the first of them may try ${when}, and the others follow when it completes`;
}

function rateWords({
  units,
  perMs,
  burst,
}: {
  readonly units: number;
  readonly perMs: number;
  readonly burst: number;
}): string {
  return `${units} in ${durationText(perMs)}, at most ${burst} at once`;
}
