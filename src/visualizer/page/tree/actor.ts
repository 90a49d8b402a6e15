/** What lives in the node, as a tree. Pure. */
import type { Address } from '../model/address.ts';
import type { Status } from '../model/status.ts';

export type ActorKind =
  | 'node'
  | 'supervisor'
  | 'task executions'
  | 'execution'
  | 'supervised batch'
  | 'pool'
  | 'instance'
  | 'task'
  | 'more';

export interface Actor {
  /** Its place in the tree: the same one keeps it while it lives. */
  readonly key: string;
  readonly kind: ActorKind;
  readonly name: string;
  /** A state of its chart; empty where it has none. */
  readonly state: string;
  readonly status?: Status;
  /** Such as `3 idle`; read in order. */
  readonly facts: readonly string[];
  readonly queueLength: number;
  readonly restarts: number;
  /** `TENANT/TASK` of a task, whose activity is shown. */
  readonly measured?: string;
  /** Where its executions are, or the execution itself. */
  readonly link?: Partial<Address>;
  readonly children: readonly Actor[];
}

/** A line of the tree as it is drawn. */
export interface Line {
  readonly actor: Actor;
  /** From 1. */
  readonly level: number;
  readonly place: number;
  readonly siblings: number;
  readonly parent: string;
  readonly expanded: boolean;
}

/** The lines that are on screen, from the top, while some actors are folded. */
export function linesOf(root: Actor, isExpanded: (actor: Actor, level: number) => boolean): readonly Line[] {
  const lines: Line[] = [];
  const add = (actor: Actor, level: number, place: number, siblings: number, parent: string) => {
    const expanded = actor.children.length > 0 && isExpanded(actor, level);
    lines.push({ actor, level, place, siblings, parent, expanded });
    if (!expanded) return;
    actor.children.forEach((child, index) => {
      add(child, level + 1, index + 1, actor.children.length, actor.key);
    });
  };
  add(root, 1, 1, 1, '');
  return lines;
}
