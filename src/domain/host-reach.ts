/** What of a task's definition reaches beyond its sandbox into the host: an administrator's to allow. */
import { hasRole, type Principal } from './access.ts';
import { RequestError } from './errors.ts';
import { type LooseningKind, looseningsOf } from './loosened.ts';
import type { TaskDefinition } from './task.ts';

type Definition = Omit<TaskDefinition, 'artifact' | 'limits'>;

/** Lines for people; none for a task that stays inside. */
export function hostReachOf(definition: Definition): readonly string[] {
  const always: readonly LooseningKind[] = ['hostFolder', 'capability', 'newPrivileges'];
  const isRoot = /^(root|0+)(:|$)/.test(definition.user);
  const ofHost = definition.allowNetwork && definition.container?.network === 'host';
  return [
    ...(definition.runtime === 'process' ? ['the process runtime'] : []),
    ...looseningsOf(definition)
      .filter(
        ({ kind }) => always.includes(kind) || (kind === 'user' && isRoot) || (kind === 'network' && ofHost),
      )
      .map(({ text }) => text),
  ];
}

/** Throws permission_denied for a definition that reaches the host, from anybody but an administrator. */
export function assertMayReachHost(principal: Principal, definition: Definition): void {
  const reaches = hostReachOf(definition);
  if (reaches.length === 0 || hasRole(principal, 'admin')) return;
  throw new RequestError(
    'permission_denied',
    `task ${definition.name} reaches the host (${reaches.join(', ')}), which needs the role admin; ${JSON.stringify(principal.name)} has ${principal.role ?? 'none'}`,
    { reason: 'ROLE_MISSING', metadata: { needed: 'admin', role: principal.role ?? '' } },
  );
}
