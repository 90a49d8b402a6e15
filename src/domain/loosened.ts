import { networkOf } from './network/network-list.ts';
import { parseSecret } from './secret.ts';
import type { TaskDefinition } from './task.ts';

export type LooseningKind =
  | 'network'
  | 'secret'
  | 'hostFolder'
  | 'user'
  | 'writableRoot'
  | 'capability'
  | 'newPrivileges';

/** One thing that a definition allows beyond the safest settings of its runtime. */
export interface Loosening {
  readonly kind: LooseningKind;
  /** A line for people. */
  readonly text: string;
}

export function looseningsOf(
  task: Omit<TaskDefinition, 'artifact' | 'environment' | 'limits'>,
): readonly Loosening[] {
  const { container } = task;
  const found: Loosening[] = [];
  if (networkOf(task).length > 0) {
    const of = task.network?.join(', ') ?? container?.network;
    found.push({ kind: 'network', text: of === undefined ? 'network' : `network: ${of}` });
  }
  for (const [name, text] of Object.entries(task.secrets ?? {})) {
    found.push({ kind: 'secret', text: `secret ${parseSecret(text).key} as ${name}` });
  }
  for (const [guest, host] of Object.entries(task.preopens)) {
    found.push({ kind: 'hostFolder', text: `host folder ${host} as ${guest}` });
  }
  if (task.user !== '') found.push({ kind: 'user', text: `user: ${task.user}` });
  if (container === undefined) return found;
  if (container.writableRoot) found.push({ kind: 'writableRoot', text: 'writable root file system' });
  for (const capability of container.capabilities) {
    found.push({ kind: 'capability', text: `capability: ${capability}` });
  }
  if (container.allowNewPrivileges) found.push({ kind: 'newPrivileges', text: 'new privileges' });
  return found;
}

/** The same as lines for people, as records have them. */
export function loosened(task: TaskDefinition): readonly string[] {
  return looseningsOf(task).map(({ text }) => text);
}
