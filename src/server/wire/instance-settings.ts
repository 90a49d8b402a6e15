/** What a definition says of the instances that run it, as its runtime wants it: their container, and those kept ready. */
import { invalidArgument, quote } from '../../domain/errors.ts';
import { destinationWords, parseDestination } from '../../domain/network/destination.ts';
import { type Said, withDefaults } from '../../domain/schema/said.ts';
import { container as containerSchema } from '../../domain/schema/task-instances.ts';
import { hasSecretFiles, secretsFolder, secretsVariable } from '../../domain/secret.ts';
import type { ContainerSettings, RuntimeKind, TaskDefinition, WarmPolicy } from '../../domain/task.ts';

const mostInstances = 1000;

/** The settings of a docker task; undefined for others, which must not have any. */
export function containerOf(
  runtime: RuntimeKind,
  { container, allowNetwork }: Said<TaskDefinition>,
): ContainerSettings | undefined {
  const field = 'definition.container';
  if (runtime !== 'docker') {
    if (container === undefined) return undefined;
    throw invalidArgument(field, `is for docker tasks; allowed for ${runtime} is none`);
  }
  if (container?.network !== undefined && allowNetwork !== true) {
    throw invalidArgument(`${field}.network`, 'is given; allowed with allow_network only');
  }
  // Each of its fields has a default.
  const settings = withDefaults<ContainerSettings>(
    containerSchema.form,
    container ?? {},
  ) as ContainerSettings;
  return { ...settings, capabilities: [...new Set(settings.capabilities)].sort() };
}

/** What the definition says of the network: a list of it is one. Throws where its runtime cannot hold it to a list. */
export function networkFrom(
  runtime: RuntimeKind,
  { allowNetwork = false, network, container }: Said<TaskDefinition>,
): Pick<TaskDefinition, 'allowNetwork' | 'network'> {
  if (network === undefined) return { allowNetwork };
  const field = 'definition.network';
  if (runtime === 'process') {
    throw invalidArgument(
      field,
      'is for wasm and docker tasks; allowed for process is none, as nothing holds a process to it',
    );
  }
  for (const [index, entry] of network.entries()) {
    if (parseDestination(entry) === undefined) {
      throw invalidArgument(
        `${field}[${index}]`,
        `${quote(entry)} is not ${destinationWords.what}; allowed is ${destinationWords.allowed}`,
      );
    }
  }
  if (container?.network !== undefined) {
    throw invalidArgument(
      field,
      'is given with container.network; allowed is one of them: with a list a container is in no network of the engine',
    );
  }
  return { allowNetwork: true, network };
}

/** What the definition says of secrets. Throws where one would hide a variable or a folder of the task. */
export function secretsFrom({
  runtime,
  secrets,
  environment = {},
  preopens = {},
}: Said<TaskDefinition>): Pick<TaskDefinition, 'secrets'> {
  if (secrets === undefined) return {};
  for (const name of Object.keys(secrets)) {
    if (!Object.hasOwn(environment, name) && name !== secretsVariable) continue;
    throw invalidArgument(
      `definition.secrets.${name}`,
      'is the name of a variable of the environment, too; allowed is another name',
    );
  }
  const hidden = Object.keys(preopens).find(
    (path) => path === secretsFolder || secretsFolder.startsWith(`${path}/`),
  );
  if (runtime === 'docker' && hidden !== undefined && hasSecretFiles(secrets)) {
    throw invalidArgument(
      `definition.preopens.${quote(hidden)}`,
      `is where secrets stand; allowed are folders apart from ${secretsFolder}`,
    );
  }
  return { secrets };
}

/** An absent policy keeps no instance ready. `isSaid` where the definition has one, if an empty one. */
export function warmOf(runtime: RuntimeKind, isSaid: boolean, warm: Said<WarmPolicy>): WarmPolicy {
  const field = 'definition.warm';
  const { startAhead = false, idleTimeoutMs = 0, maxUses } = warm;
  const once = runtime !== 'wasm';
  if (once && !startAhead && isSaid) {
    throw invalidArgument(
      `${field}.start_ahead`,
      `is false; allowed is true, as a warm ${runtime} instance is one that runs before anyone invokes it`,
    );
  }
  const min = warm.min ?? (startAhead ? 1 : 0);
  const max = warm.max ?? (once ? min : mostInstances);
  if (max < min) throw invalidArgument(`${field}.max`, `is ${max}; allowed is ${min}, which is min, or more`);
  if (once && maxUses !== undefined && maxUses > 1) {
    throw invalidArgument(
      `${field}.max_uses`,
      `is ${maxUses}; allowed is 1, as a ${runtime} runs one execution`,
    );
  }
  return {
    min,
    max,
    idleTimeoutMs,
    ...(once ? { maxUses: 1 } : maxUses !== undefined && { maxUses }),
    startAhead,
  };
}
