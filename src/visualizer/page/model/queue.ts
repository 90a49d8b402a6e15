/** Who waits for a slot, and what holds them: the model of `GetQueueResponse`. */
import type { GetQueueResponseJson } from '../wire.ts';
import { instantOf, numberOf } from './scalar.ts';

type LineJson = GetQueueResponseJson['lines'][number];
type ClassJson = LineJson['classes'][number];

export interface QueueClass {
  readonly waiting: number;
  /** Empty where that is not known yet. */
  readonly next: string;
  readonly nextSince: number | undefined;
  /** Something else than slots holds them: `concurrency`, `rate`, `quota`, `resources`, `quarantine`. */
  readonly kind: string | undefined;
  /** It lets nobody through since then. */
  readonly since: number | undefined;
  /** When it opens by itself. */
  readonly opensAt: number | undefined;
  readonly heldBy: readonly string[];
  /** What holds them, in words. */
  readonly summary: string;
  /** What lets them go, in words. */
  readonly freedBy: string;
  /** The same for the same class, as long as it is there. */
  readonly key: string;
}

export interface QueueLine {
  readonly tenant: string;
  readonly priority: string;
  readonly fairnessKey: string;
  readonly running: number;
  readonly waiting: number;
  readonly held: number;
  /** From 0 to 1. */
  readonly shareUsed: number;
  readonly shareDue: number;
  readonly next: string;
  readonly nextSince: number | undefined;
  readonly classes: readonly QueueClass[];
  readonly otherClasses: number;
  readonly key: string;
}

export interface Queue {
  readonly slots: number;
  readonly running: number;
  readonly waiting: number;
  readonly held: number;
  /** What keeps the node from starting anything; empty where nothing does. */
  readonly block: string;
  /** Nodes that did not answer. */
  readonly silentNodes: readonly string[];
  readonly lines: readonly QueueLine[];
  readonly otherLines: number;
  readonly otherWaiting: number;
}

export function queueOf(json: GetQueueResponseJson): Queue {
  const { slots, running, block, silentNodes } = json;
  return {
    ...{ slots, running, block, silentNodes },
    waiting: numberOf(json.waiting),
    held: numberOf(json.held),
    lines: json.lines.map(lineOf),
    otherLines: numberOf(json.otherLines),
    otherWaiting: numberOf(json.otherWaiting),
  };
}

function lineOf(json: LineJson): QueueLine {
  const { tenant, priority, fairnessKey, running } = json;
  return {
    ...{ tenant, priority, fairnessKey, running },
    shareUsed: numberOf(json.shareUsed),
    shareDue: numberOf(json.shareDue),
    waiting: numberOf(json.waiting),
    held: numberOf(json.held),
    next: json.nextExecutionId,
    nextSince: instantOf(json.nextSince),
    classes: classesOf(json.classes),
    otherClasses: numberOf(json.otherClasses),
    key: `${tenant}/${priority}/${fairnessKey}`,
  };
}

/** Several of a line may be held by the same: they are told apart by their places. */
function classesOf(classes: readonly ClassJson[]): readonly QueueClass[] {
  const named = new Map<string, number>();
  return classes.map((json) => {
    const name = JSON.stringify([json.gate?.kind, json.gate?.key, json.gate?.value]);
    const place = named.get(name) ?? 0;
    named.set(name, place + 1);
    return classOf(json, `${name} ${place}`);
  });
}

function classOf(json: ClassJson, key: string): QueueClass {
  const { heldBy, summary, freedBy, gate } = json;
  return {
    ...{ heldBy, summary, freedBy },
    waiting: numberOf(json.waiting),
    next: json.nextExecutionId,
    nextSince: instantOf(json.nextSince),
    kind: gate?.kind,
    since: instantOf(gate?.since),
    opensAt: instantOf(gate?.opensAt),
    key,
  };
}
