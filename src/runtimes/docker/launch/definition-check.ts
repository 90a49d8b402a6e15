import { invalidArgument, quote, RequestError } from '../../../domain/errors.ts';
import { fits } from '../../../domain/schema/check.ts';
import { networkName } from '../../../domain/schema/task-instances.ts';
import { user as userForm } from '../../../domain/schema/values.ts';
import type { LimitName, Limits, TaskDefinition } from '../../../domain/task.ts';
import type { EngineFacts } from '../engine/connection.ts';

const MiB = 1024 * 1024;
/** What docker itself refuses to go below. */
const minMemory = 6 * MiB;
const minCpu = 0.01;
const maxId = 2 ** 31 - 1;

const capabilityPattern = /^[A-Z_]+$/;
/** What containers of the engine have by default: none of them leads out of one. Source: docs.docker.com/engine/security */
const contained = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['NET_RAW', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]);

/** What a docker task gets that names no limit: what of it this engine can hold it to. */
export function defaultLimits(facts: EngineFacts | undefined): Partial<Limits> {
  const wanted = { memory: 128 * MiB, cpu: 1, processes: 128 };
  if (facts === undefined) return wanted;
  const held: Partial<Record<LimitName, number>> = {};
  for (const [name, value] of Object.entries(wanted) as [keyof typeof wanted, number][]) {
    if (lacking(name, facts) === undefined) held[name] = value;
  }
  return held;
}

/** Throws a RequestError that names the field which this engine cannot run, or not safely. */
export function checkDefinition(task: TaskDefinition, facts: EngineFacts): void {
  if (task.instancePolicy === 'reused') {
    throw invalidArgument('definition.instance_policy', 'a container runs one execution: use "fresh"');
  }
  checkLimits(task.limits, facts);
  checkUser(task.user);
  for (const guest of Object.keys(task.preopens)) {
    if (!guest.startsWith('/') || guest === '/') {
      throw invalidArgument(
        'definition.preopens',
        `${quote(guest)} must be an absolute path below / in the container`,
      );
    }
  }
  const { container } = task;
  if (container === undefined) throw invalidArgument('definition.container', 'a docker task has one');
  for (const capability of container.capabilities) {
    if (!capabilityPattern.test(capability)) {
      throw invalidArgument(
        'definition.container.capabilities',
        `${quote(capability)} is no name such as NET_BIND_SERVICE`,
      );
    }
  }
  if (task.allowNetwork && !fits(networkName.form, container.network)) {
    throw invalidArgument(
      'definition.container.network',
      `${quote(container.network)} is no name of a network`,
    );
  }
}

/** Throws for a capability by which a container reaches the host; for a node that gives no access to it. */
export function checkContained({ container }: TaskDefinition): void {
  const beyond = container?.capabilities.find((name) => !contained.has(name.replace(/^CAP_/, '')));
  if (beyond === undefined) return;
  throw invalidArgument(
    'definition.container.capabilities',
    `${quote(beyond)} gives access to the host, which needs a node with --allow-host-access; allowed without are ${[...contained].join(', ')}`,
  );
}

function checkUser(user: string): void {
  if (user === '') return;
  const tooLarge = user.split(':').some((part) => /^\d+$/.test(part) && Number(part) > maxId);
  if (!fits(userForm.form, user) || tooLarge) {
    throw invalidArgument(
      'definition.user',
      `${quote(user)} is not USER or USER:GROUP, names or numbers up to ${maxId}`,
    );
  }
}

function checkLimits(limits: Limits, facts: EngineFacts): void {
  const { memory, cpu } = limits;
  for (const name of ['memory', 'cpu', 'processes'] as const) {
    const why = limits[name] === undefined ? undefined : lacking(name, facts);
    if (why !== undefined) throw notHeld(name, why);
  }
  if (memory !== undefined && memory < minMemory) {
    throw invalidArgument('definition.limits.memory', `a container needs 6 MiB or more, not ${memory} bytes`);
  }
  if (cpu !== undefined && (cpu < minCpu || cpu > facts.cores)) {
    throw invalidArgument(
      'definition.limits.cpu',
      `this engine gives a container ${minCpu} to ${facts.cores} cores`,
    );
  }
}

function lacking(name: 'memory' | 'cpu' | 'processes', facts: EngineFacts): string | undefined {
  switch (name) {
    case 'memory':
      if (!facts.memoryLimit) return 'memory';
      return facts.swapLimit ? undefined : 'swap (on Debian: cgroup_enable=memory swapaccount=1)';
    case 'cpu':
      return facts.cpuQuota ? undefined : 'processor time';
    case 'processes':
      return facts.processLimit ? undefined : 'the number of processes';
  }
}

function notHeld(name: LimitName, what: string): RequestError {
  const field = `definition.limits.${name}`;
  const description = `the kernel of this engine cannot limit ${what}; leave the limit out, or mend the engine`;
  return new RequestError('failed_precondition', `${field}: ${description}`, {
    reason: 'LIMIT_NOT_SUPPORTED',
    violations: [{ field, description }],
    metadata: { runtime: 'docker' },
  });
}
