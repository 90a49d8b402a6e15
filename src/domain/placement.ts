/** Where an execution may run: what its task says of labels, and what nodes have. Pure. */
import { RequestError } from './errors.ts';
import type { Labels } from './labels.ts';
import type { RuntimeKind, Task, TaskDefinition } from './task.ts';

/**
 * What a task wants of the labels of a node, by their keys: `VALUE`, one of `A|B`, none of `!A|B`, `*` for any, `!*` for
 * none, or a number to compare with, such as `>=8`.
 */
export type RunsOn = Readonly<Record<string, string>>;

export const runsOnWords = 'VALUE, A|B, !A|B, *, !*, or one of >=, <=, > and < with a number';

/** As `readWish` reads it. */
export const runsOnPattern =
  /^(?:!?\*|[<>]=?-?\d+(?:\.\d+)?|!?[^!<>=*|\p{Cc}][^|\p{Cc}]*(?:\|[^|\p{Cc}]+)*)$/u;

type Wish =
  | { readonly kind: 'any' }
  | { readonly kind: 'none' }
  | { readonly kind: 'in' | 'notIn'; readonly values: readonly string[] }
  | { readonly kind: 'compare'; readonly by: string; readonly number: number };

/** What of a node decides what may run on it. */
export interface NodePlace {
  readonly labels: Labels;
  readonly runtimes: readonly RuntimeKind[];
  /** Bytes that one attempt may have; absent is any. */
  readonly memory?: number;
  /** Processor cores that one attempt may have; absent is any. */
  readonly processors?: number;
  /** What it lacks of tasks whose runtime it has, by their names in placements. */
  readonly lacks?: Readonly<Record<string, Lack>>;
}

/** A program or an image that is not on a node, or something else that a task wants of it. */
export interface Lack {
  /** In words that follow the node's name. */
  readonly why: string;
  /** It is an image that the node may fetch. */
  readonly mayFetch?: true;
}

export interface Placed extends Pick<TaskDefinition, 'runtime' | 'runsOn'> {
  /** Others hold on any node. */
  readonly limits: Partial<TaskDefinition['limits']>;
  /** Of a task that not every node with its runtime has: its name in placements. */
  readonly task?: string | undefined;
}

/** A revision of a task, as nodes name it to each other. */
export function revisionName(taskId: string, revision: number): string {
  return `${taskId}@${revision}`;
}

/** What a task is called where it matters which nodes have its program, image or secrets; undefined for others. */
export function artifactPlacement({
  taskId,
  revision,
  definition: { runtime, secrets = {} },
}: Pick<Task, 'taskId' | 'revision' | 'definition'>): string | undefined {
  if (runtime === 'wasm' && Object.keys(secrets).length === 0) return undefined;
  return revisionName(taskId, revision);
}

/** Why executions of a task cannot run on a node, in words that follow its name; undefined where they can. */
export function whyNotOn(
  { runtime, runsOn = {}, limits: { memory, cpu }, task }: Placed,
  node: NodePlace,
): string | undefined {
  if (!node.runtimes.includes(runtime)) return `has no ${runtime} runtime`;
  for (const [key, text] of Object.entries(runsOn)) {
    const value = Object.hasOwn(node.labels, key) ? node.labels[key] : undefined;
    if (isMet(readWish(text), value)) continue;
    const is = value === undefined ? `has no label ${key}` : `has ${key}=${value}`;
    return `${is}, and runs_on wants ${key}: ${text}`;
  }
  if (memory !== undefined && memory > (node.memory ?? Number.POSITIVE_INFINITY)) {
    return `gives an attempt at most ${node.memory} bytes of memory, and it wants ${memory}`;
  }
  if (cpu !== undefined && cpu > (node.processors ?? Number.POSITIVE_INFINITY)) {
    return `gives an attempt at most ${node.processors} processors, and it wants ${cpu}`;
  }
  return task === undefined ? undefined : node.lacks?.[task]?.why;
}

/** Throws failed_precondition where executions of a task cannot run on a node that is alone. */
export function assertRunsOn({ definition }: Pick<Task, 'definition'>, node: NodePlace): void {
  const why = whyNotOn(definition, node);
  if (why === undefined) return;
  throw new RequestError('failed_precondition', `${definition.name} cannot run here: this node ${why}`, {
    reason: 'NO_NODE_FITS',
    metadata: { task: definition.name },
  });
}

/** The same text for tasks that may run on the same nodes. */
export function placementKey({
  runtime,
  runsOn = {},
  limits: { memory = 0, cpu = 0 },
  task,
}: Placed): string {
  const wishes = Object.entries(runsOn).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([runtime, wishes, memory, cpu, ...(task === undefined ? [] : [task])]);
}

/** What `placementKey` says; undefined for any other text. */
export function placedOf(key: string): Placed | undefined {
  try {
    const [runtime, wishes, memory, cpu, task] = JSON.parse(key) as [
      RuntimeKind,
      [string, string][],
      number,
      number,
      string?,
    ];
    const limits = { ...(memory > 0 && { memory }), ...(cpu > 0 && { cpu }) };
    return { runtime, runsOn: Object.fromEntries(wishes), limits, task };
  } catch {
    // Something else has written it.
    return undefined;
  }
}

function isMet(wish: Wish, value: string | undefined): boolean {
  switch (wish.kind) {
    case 'any':
      return value !== undefined;
    case 'none':
      return value === undefined;
    case 'in':
      return value !== undefined && wish.values.includes(value);
    case 'notIn':
      return value === undefined || !wish.values.includes(value);
    case 'compare':
      return value !== undefined && /^-?\d+(\.\d+)?$/.test(value) && compares(Number(value), wish);
  }
}

function compares(value: number, { by, number }: Extract<Wish, { kind: 'compare' }>): boolean {
  if (by === '>=') return value >= number;
  if (by === '<=') return value <= number;
  return by === '>' ? value > number : value < number;
}

function readWish(text: string): Wish {
  if (text === '*') return { kind: 'any' };
  if (text === '!*') return { kind: 'none' };
  const compared = /^([<>]=?)(.*)$/.exec(text);
  if (compared?.[1] !== undefined) return { kind: 'compare', by: compared[1], number: Number(compared[2]) };
  const isNegated = text.startsWith('!');
  return { kind: isNegated ? 'notIn' : 'in', values: text.slice(isNegated ? 1 : 0).split('|') };
}
