/** What holds back an execution that waits besides the slots, in words. */
import { durationText } from '../../domain/duration.ts';
import type { GateUse, Resources, ResourcesUse } from '../../domain/scheduling/gate.ts';
import { isReserving } from '../../domain/scheduling/resource-gate.ts';
import { keyWords } from '../../domain/scheduling/task-gates.ts';
import { sizeText } from '../../domain/size.ts';
import type { HeldTask } from '../queue/slots.ts';

/** Of the first gate that holds it. */
export interface HoldingGate {
  readonly use: GateUse;
  /** It lets nobody through for so long, in milliseconds. */
  readonly heldForMs: number;
  /** Milliseconds; infinity where an attempt has to end first. */
  readonly opensInMs: number;
  /** Of memory and processors: what there is in all. */
  readonly total?: Resources;
  /** Of a task that is quarantined. */
  readonly task?: HeldTask;
}

/** What it waits for, after a colon. */
export function gateSentence({ use, total, task }: HoldingGate): string {
  switch (use.kind) {
    case 'concurrency':
      return `all that may run at a time with concurrency key ${keyWords(use)} do: the limit is ${use.limit}`;
    case 'quota':
      return `all that its tenant may have running are: the limit is ${use.limit}`;
    case 'rate':
      return `the rate of ${keyWords(use)} is used up: ${rateWords(use)}`;
    case 'quotaRate':
      return `the rate of its tenant is used up: ${rateWords(use)}`;
    case 'quotaMemory':
      return `what its tenant has running has too much of its memory: it reserves ${sizeText(use.memoryBytes)}${ofAll(total)}`;
    case 'quarantine':
      return `${use.value} is quarantined: ${quarantineWords(use, task)}`;
    case 'place':
      return 'no node that it may run on has a free slot';
    case 'resources':
      return total === undefined
        ? `no node that it may run on has room: it reserves ${demandWords(use, undefined)}`
        : `too little memory or processor is free: it reserves ${demandWords(use, total)}`;
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
export function gateLimit({ use, total }: Pick<HoldingGate, 'use' | 'total'>): {
  readonly limit: number;
  readonly perMs?: number;
  readonly burst?: number;
} {
  if ('failures' in use) return { limit: use.failures, perMs: use.withinMs };
  if ('units' in use) return { limit: use.units, perMs: use.perMs, burst: use.burst };
  if (use.kind === 'place') return { limit: 0 };
  if (!isReserving(use)) return { limit: use.limit };
  const memory = total?.memoryBytes ?? 0;
  return { limit: Number.isFinite(memory) ? memory : 0 };
}

/** Of what is bounded; of what nodes have in all nothing is said where that is not of one node. */
function demandWords({ memoryBytes, processors }: ResourcesUse, total: Resources | undefined): string {
  if (total === undefined) {
    return [
      ...(memoryBytes > 0 ? [`${sizeText(memoryBytes)} of memory`] : []),
      ...(processors > 0 ? [`${processors} processors`] : []),
    ].join(' and ');
  }
  return [
    ...(memoryBytes > 0 && Number.isFinite(total.memoryBytes)
      ? [`${sizeText(memoryBytes)} of ${sizeText(total.memoryBytes)} of memory`]
      : []),
    ...(processors > 0 && Number.isFinite(total.processors)
      ? [`${processors} of ${total.processors} processors`]
      : []),
  ].join(' and ');
}

function ofAll(total: Resources | undefined): string {
  return total === undefined ? '' : ` of ${sizeText(total.memoryBytes)}`;
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
