import type { TaskDefinition } from './task.ts';

/** What a definition allows beyond the safest settings of its runtime: a line each, for people. */
export function loosened(task: TaskDefinition): readonly string[] {
  const { container } = task;
  const lines: string[] = [];
  if (task.allowNetwork) {
    lines.push(container === undefined ? 'network' : `network: ${container.network}`);
  }
  for (const [guest, host] of Object.entries(task.preopens)) lines.push(`host folder ${host} as ${guest}`);
  if (task.user !== '') lines.push(`user: ${task.user}`);
  if (container === undefined) return lines;
  if (container.writableRoot) lines.push('writable root file system');
  for (const capability of container.capabilities) lines.push(`capability: ${capability}`);
  if (container.allowNewPrivileges) lines.push('new privileges');
  return lines;
}
