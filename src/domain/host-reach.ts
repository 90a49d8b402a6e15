/** What of a task's definition reaches beyond its sandbox into the host: an administrator's to allow. */
import { hasRole, type Principal } from './access.ts';
import { RequestError } from './errors.ts';
import { isKnownRegistry, registryOf } from './image-registry.ts';
import { isLoaderVariable } from './loader-variables.ts';
import { type LooseningKind, looseningsOf } from './loosened.ts';
import { insideEntries } from './network/network-list.ts';
import type { TaskDefinition } from './task.ts';
import type { TaskDraft } from './tasks.ts';

type Definition = Omit<TaskDefinition, 'artifact' | 'environment' | 'limits'>;

/** A user and group by numbers that are not 0: what a name stands for, the image says. */
const plainUser = /^0*[1-9]\d*(?::0*[1-9]\d*)?$/;
/** Networks of an engine that lead to nothing of the host or of its neighbours by themselves. */
const plainNetworks: readonly string[] = ['bridge', 'none'];

/** Lines for people; none for a task that stays inside. */
export function hostReachOf(definition: Definition): readonly string[] {
  const { runtime, user, container, network } = definition;
  const reaching: Readonly<Record<LooseningKind, boolean>> = {
    hostFolder: true,
    capability: true,
    newPrivileges: true,
    user: !plainUser.test(user),
    network:
      network === undefined
        ? container !== undefined && !plainNetworks.includes(container.network)
        : insideEntries(network).length > 0,
    writableRoot: false,
    secret: false,
  };
  return [
    ...(runtime === 'process' ? ['the process runtime'] : []),
    ...looseningsOf(definition)
      .filter(({ kind }) => reaching[kind])
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

/**
 * Throws permission_denied where the engine would fetch an image from a registry that is neither Docker Hub nor listed,
 * for anybody but an administrator: the engine asks whatever address that names, and where that sends it, from inside.
 */
export function assertMayFetch(
  principal: Principal,
  { name, source, container }: Pick<TaskDraft, 'name' | 'source' | 'container'>,
  listed: readonly string[],
): void {
  // What is never fetched is only looked for in the engine.
  if (source.kind !== 'image' || container?.pull === 'never' || hasRole(principal, 'admin')) return;
  const registry = registryOf(source.image);
  if (isKnownRegistry(registry, listed)) return;
  throw new RequestError(
    'permission_denied',
    `definition.artifact.image: task ${name} has the engine ask the registry ${JSON.stringify(registry)}, which needs the role admin, or a node with --image-registry for it; ${JSON.stringify(principal.name)} has ${principal.role ?? 'none'}. An image that the engine has already is taken with pull: never`,
    { reason: 'ROLE_MISSING', metadata: { needed: 'admin', role: principal.role ?? '' } },
  );
}

/**
 * Throws permission_denied where somebody who is no administrator gives a task that reaches the host variables that it
 * does not have, or values of those that steer a loader or an interpreter: the program would become another one.
 */
export function assertMayGive(
  principal: Principal,
  definition: Definition & Pick<TaskDefinition, 'environment'>,
  environment: Readonly<Record<string, string>>,
): void {
  const refused = Object.keys(environment).filter(
    (name) => !Object.hasOwn(definition.environment, name) || isLoaderVariable(name),
  );
  if (refused.length === 0 || hasRole(principal, 'admin') || hostReachOf(definition).length === 0) return;
  throw new RequestError(
    'permission_denied',
    `environment: task ${definition.name} reaches the host, and variables that its definition does not have, or that steer loaders and interpreters (${refused.slice(0, 5).join(', ')}), need the role admin; ${JSON.stringify(principal.name)} has ${principal.role ?? 'none'}`,
    { reason: 'ROLE_MISSING', metadata: { needed: 'admin', role: principal.role ?? '' } },
  );
}
