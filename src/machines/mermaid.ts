/** A statechart as a Mermaid state diagram (https://mermaid.js.org/syntax/stateDiagram.html). Pure. */
import type { AnyStateNode } from 'xstate';
import { initialOf, nameOf, pathOf } from './state-node.ts';

/** `others` are the roots of the same chart, where it is entered elsewhere. */
export function mermaidOf(root: AnyStateNode, others: readonly AnyStateNode[]): string {
  const arrows = new Map<string, string[]>();
  collect(root, arrows);
  const drawn = [...arrows].map(
    ([ends, labels]) => `  ${ends}${labels.length > 0 ? ` : ${labels.join(', ')}` : ''}`,
  );
  return `${['stateDiagram-v2', ...bodyOf(root, others, '  '), ...drawn].join('\n')}\n`;
}

function bodyOf(node: AnyStateNode, others: readonly AnyStateNode[], indent: string): string[] {
  const entrances = [node, ...others].flatMap((each) => initialOf(each) ?? []);
  const lines = [...new Set(entrances.map(idOf))].map((id) => `${indent}[*] --> ${id}`);
  for (const child of Object.values(node.states)) {
    const state = `${indent}state "${child.key}" as ${idOf(child)}`;
    if (Object.keys(child.states).length === 0) lines.push(state);
    else
      lines.push(
        `${state} {`,
        ...bodyOf(
          child,
          others.flatMap((each) => each.states[child.key] ?? []),
          `${indent}  `,
        ),
        `${indent}}`,
      );
  }
  return lines;
}

/** One arrow between two states, however many transitions there are. What a chart takes in every state is of each. */
function collect(node: AnyStateNode, arrows: Map<string, string[]>): void {
  if (node.parent !== undefined) {
    const everywhere =
      node.parent.parent === undefined && node.type !== 'final' ? [...node.parent.transitions] : [];
    for (const [event, transitions] of [...node.transitions, ...everywhere]) {
      for (const { target, guard } of transitions) {
        // One that is taken without leaving the state leads back to it.
        const ends = `${idOf(node)} --> ${idOf(target?.[0] ?? node)}`;
        const label = `${event}${guard === undefined ? '' : ` [${nameOf(guard)}]`}`;
        arrows.set(ends, [...(arrows.get(ends) ?? []), label]);
      }
    }
    if (node.type === 'final') arrows.set(`${idOf(node)} --> [*]`, []);
  }
  for (const child of Object.values(node.states)) collect(child, arrows);
}

/** Unique in the diagram, and made of what Mermaid takes for a name. */
function idOf(node: AnyStateNode): string {
  return pathOf(node).replaceAll('.', '_');
}
