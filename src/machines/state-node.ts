/** What is read of XState's own description of a state. */
import type { AnyStateNode } from 'xstate';

/** Actions and guards go by the names under which the machine was set up. */
export function nameOf(part: unknown): string {
  if (typeof part === 'string') return part;
  const { type } = part as { readonly type?: unknown };
  return typeof type === 'string' ? type : '';
}

/** The child that is entered with its parent; undefined where there is none. */
export function initialOf(node: AnyStateNode): AnyStateNode | undefined {
  return Object.keys(node.states).length === 0 ? undefined : node.initial.target[0];
}

/** Path of a state in its chart; empty for the chart itself. */
export function pathOf(node: AnyStateNode): string {
  return node.path.join('.');
}
