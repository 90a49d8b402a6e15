/** The queue of a cluster, put together from what its nodes know. Pure. */
import type { NodeQueue, QueueLine, QueueView } from './queue-view.ts';

/** What a node of that name answered; undefined where it did not. */
export interface AnsweredQueue {
  readonly name: string;
  readonly queue: NodeQueue | undefined;
}

const mostClasses = 10;

/** Of at most so many lines. `time` is now, on the wall clock, milliseconds since the epoch. */
export function mergedQueue(answers: readonly AnsweredQueue[], mostLines: number, time: number): QueueView {
  const told = answers.flatMap(({ name, queue }) => (queue === undefined ? [] : [{ name, queue }]));
  const here = told.map(({ queue }) => queue.here);
  // Of what it has given away the node that has it tells, and that it runs.
  const unowned = told.flatMap(({ queue }) => queue.unowned ?? []);
  const all = [...unowned, ...here];
  const slots = sum(here, ({ slots }) => slots);
  const lines = [
    ...linesOf(unowned, here, slots)
      .sort((a, b) => b.waiting - a.waiting || b.running - a.running)
      .values(),
  ];
  const left = lines.slice(mostLines);
  return {
    slots,
    running: sum(here, ({ running }) => running),
    waiting: sum(all, ({ waiting }) => waiting),
    held: sum(all, ({ held }) => held),
    block: blockOf(told),
    lines: lines.slice(0, mostLines),
    otherLines: left.length + Math.max(0, ...all.map(({ otherLines }) => otherLines)),
    otherWaiting: sum(left, ({ waiting }) => waiting) + sum(all, ({ otherWaiting }) => otherWaiting),
    silentNodes: answers.flatMap(({ name, queue }) => (queue === undefined ? name : [])),
    time,
  };
}

function linesOf(unowned: readonly QueueView[], here: readonly QueueView[], slots: number): QueueLine[] {
  const lines = new Map<string, QueueLine>();
  const add = (line: QueueLine): void => {
    const key = JSON.stringify([line.tenant, line.priority, line.fairnessKey]);
    const known = lines.get(key);
    lines.set(key, known === undefined ? line : joined(known, line));
  };
  for (const view of unowned)
    for (const line of view.lines) if (line.waiting > 0) add({ ...line, running: 0, shareUsed: 0 });
  for (const view of here) {
    const part = slots === 0 ? 0 : view.slots / slots;
    for (const line of view.lines) {
      add({ ...line, shareUsed: line.shareUsed * part, shareDue: line.shareDue * part });
    }
  }
  return [...lines.values()];
}

function joined(a: QueueLine, b: QueueLine): QueueLine {
  const classes = [...a.classes, ...b.classes].sort((one, other) => other.waiting - one.waiting);
  const next = a.next ?? b.next;
  return {
    ...a,
    running: a.running + b.running,
    waiting: a.waiting + b.waiting,
    held: a.held + b.held,
    shareUsed: Math.min(1, a.shareUsed + b.shareUsed),
    shareDue: a.waiting > 0 ? a.shareDue : Math.min(1, a.shareDue + b.shareDue),
    ...(next !== undefined && { next }),
    classes: classes.slice(0, mostClasses),
    otherClasses: a.otherClasses + b.otherClasses + Math.max(0, classes.length - mostClasses),
  };
}

/** In words where no node starts anything; of some nodes alone by their names. */
function blockOf(told: readonly { readonly name: string; readonly queue: NodeQueue }[]): string {
  const blocked = told.filter(({ queue }) => queue.here.block !== '');
  const words = new Set(blocked.map(({ queue }) => queue.here.block));
  const [only = ''] = words;
  if (blocked.length < told.length) return '';
  return words.size <= 1 ? only : blocked.map(({ name, queue }) => `${name}: ${queue.here.block}`).join('; ');
}

function sum<Item>(items: readonly Item[], count: (item: Item) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
