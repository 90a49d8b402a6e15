/** The tree as it is now, at most a few times a second. */
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import { after } from '../clock.ts';
import type { Page } from '../shell/page.ts';
import type { Actor } from './actor.ts';
import { watchInstances } from './instances.ts';
import { nodeTree } from './node-tree.ts';
import { watchSupervisedBatches } from './supervised-batches.ts';

const everyMs = 300;

export function watchTree({ feed, list, call, tasks, tenants }: Page): {
  readonly tree: ReadonlySignal<Actor | undefined>;
  stop(): void;
} {
  const tree = signal<Actor | undefined>(undefined);
  const instances = watchInstances(call);
  const batches = watchSupervisedBatches(call);
  let due: (() => void) | undefined;
  const draw = () => {
    due = undefined;
    const node = feed.node.peek();
    if (node === undefined) return;
    tree.value = nodeTree({
      node: feed.away.peek() ? { ...node, state: 'unknown' } : node,
      tasks: tasks.peek(),
      allTenants: tenants.all,
      rows: list.rows.values(),
      ...instances.known.peek(),
      batches: batches.known.peek(),
    });
  };
  const soon = () => {
    due ??= after(everyMs, draw);
  };
  const stops = [
    list.rows.listen(soon),
    effect(() => {
      void feed.node.value;
      void feed.away.value;
      void tasks.value;
      void instances.known.value;
      void batches.known.value;
      if (tree.peek() === undefined) draw();
      else soon();
    }),
  ];
  return {
    tree,
    stop: () => {
      for (const stop of stops) stop();
      instances.stop();
      batches.stop();
      due?.();
    },
  };
}
