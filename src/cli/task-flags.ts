/** The flags that say a task; a file can say more. */
import type { Command } from 'commander';
import { readArtifact } from './artifact.ts';
import {
  type Definition,
  optionalBytes,
  optionalDuration,
  type PolicyName,
  type PullName,
  policies,
  policyNames,
  pullNames,
  pulls,
  type RuntimeName,
  resolvePreopens,
  runtimeNames,
  runtimes,
} from './definition.ts';
import { collectPairs, duration, oneOf, parsed, size } from './flag.ts';
import { type InterruptName, interruptionOf, interruptNames, interruptNamesFor } from './interruption.ts';
import {
  parseAbsolutePath,
  parseCores,
  parseCpuTime,
  parseDigest,
  parseInstances,
  parseNetwork,
  parseProcesses,
  parseRecoveries,
  parseUser,
} from './task-value.ts';
import { UsageError } from './usage-error.ts';

export interface TaskFlags {
  readonly runtime?: RuntimeName;
  readonly artifact?: string;
  readonly sha256?: string;
  readonly pull?: PullName;
  readonly description?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly workdir?: string;
  readonly user?: string;
  readonly preopen?: Readonly<Record<string, string>>;
  readonly allowNetwork?: boolean;
  readonly network?: string;
  readonly timeout?: number;
  readonly grace?: number;
  readonly memory?: number;
  readonly cpu?: number;
  readonly cpuTime?: number;
  readonly processes?: number;
  readonly instancePolicy?: PolicyName;
  readonly startAhead?: boolean;
  readonly warmMin?: number;
  readonly warmMax?: number;
  readonly onInterrupt?: InterruptName;
  readonly maxRecoveries?: number;
}

export function addTaskFlags(command: Command): Command {
  return command
    .optionsGroup('What runs:')
    .option('--runtime <kind>', runtimeNames.join(', '), oneOf('--runtime', runtimeNames))
    .option(
      '--artifact <artifact>',
      'wasm: a file here or https://…; process: a path on the server; docker: an image',
    )
    .option('--sha256 <hex>', 'what it must have (docker: the image id)', parsed('--sha256', parseDigest))
    .option('--pull <policy>', `docker: ${pullNames.join(', ')}`, oneOf('--pull', pullNames))
    .option('--description <text>', 'for people')
    .option('--env <name=value>', 'an environment variable (repeatable)', collectPairs('--env'))
    .option('--workdir <dir>', 'docker, process: where it starts', parsed('--workdir', parseAbsolutePath))
    .optionsGroup('What it may reach:')
    .option('--user <user[:group]>', 'docker, process: as whom it runs', parsed('--user', parseUser))
    .option(
      '--preopen <guest=host>',
      'a folder of the server (repeatable)',
      collectPairs('--preopen', 'GUEST=HOST'),
    )
    .option('--allow-network', 'the network')
    .option('--network <name>', 'docker: this network', parsed('--network', parseNetwork))
    .optionsGroup('Limits:')
    .option('--timeout <duration>', 'from admission to the end, such as 5s', duration('--timeout'))
    .option('--grace <duration>', 'of an end that was asked for (default 5s)', duration('--grace'))
    .option('--memory <size>', 'of one instance, such as 64MiB', size('--memory'))
    .option('--cpu <cores>', 'such as 0.5', parsed('--cpu', parseCores))
    .option('--cpu-time <duration>', 'of one attempt, 1s or more', parsed('--cpu-time', parseCpuTime))
    .option('--processes <n>', 'processes and threads at once', parsed('--processes', parseProcesses))
    .optionsGroup('Instances:')
    .option('--instance-policy <policy>', policyNames.join(', '), oneOf('--instance-policy', policyNames))
    .option('--start-ahead', 'docker, process: start before the call; it must wait for its input')
    .option('--warm-min <n>', 'instances kept ready', parsed('--warm-min', parseInstances))
    .option('--warm-max <n>', 'instances that stay ready at most', parsed('--warm-max', parseInstances))
    .optionsGroup('When an attempt is lost:')
    .option(
      '--on-interrupt <policy>',
      'rerun, fail; docker also: reattach-or-rerun, reattach-or-fail',
      oneOf('--on-interrupt', interruptNames),
    )
    .option(
      '--max-recoveries <n>',
      'attempts that an execution may lose to crashes of its node (default 3)',
      parsed('--max-recoveries', parseRecoveries),
    );
}

/** Throws a UsageError that names the flag. Paths are relative to the current folder. */
export async function readTaskFlags(
  name: string | undefined,
  args: readonly string[],
  flags: TaskFlags,
): Promise<Definition> {
  const { runtime, artifact, sha256, instancePolicy, network } = flags;
  if (name === undefined) throw new UsageError('NAME: is missing; allowed is a name, or --file');
  if (runtime === undefined)
    throw new UsageError(`--runtime: is missing; allowed are ${runtimeNames.join(', ')}`);
  if (artifact === undefined)
    throw new UsageError('--artifact: is missing; allowed is a path, an image for docker or a URL for wasm');
  checkRuntime(runtime, flags);
  const folder = process.cwd();
  const warm = { min: flags.warmMin, max: flags.warmMax, startAhead: flags.startAhead };
  return {
    name,
    description: flags.description ?? '',
    runtime: runtimes[runtime],
    artifact: await readArtifact('--artifact', runtime, { text: artifact, folder, sha256 }),
    args: [...args],
    environment: { ...flags.env },
    preopens: resolvePreopens(flags.preopen ?? {}, folder),
    allowNetwork: flags.allowNetwork === true || network !== undefined,
    timeouts: { total: optionalDuration(flags.timeout) },
    grace: optionalDuration(flags.grace),
    limits: {
      memory: optionalBytes(flags.memory),
      cpu: flags.cpu,
      cpuTime: optionalDuration(flags.cpuTime),
      processes: flags.processes,
    },
    user: flags.user ?? '',
    workingDirectory: flags.workdir ?? '',
    ...(instancePolicy !== undefined && { instancePolicy: policies[instancePolicy] }),
    ...(runtime === 'docker' && { container: containerOf(flags) }),
    ...(Object.values(warm).some((value) => value !== undefined) && {
      warm: { ...warm, startAhead: warm.startAhead === true },
    }),
    ...interruptionOf(flags),
  };
}

function containerOf({ pull, network = '' }: TaskFlags): NonNullable<Definition['container']> {
  return { network, ...(pull !== undefined && { pull: pulls[pull] }) };
}

/** The server would refuse them too, and name a field where the user wrote a flag. */
const runtimesOf: Readonly<Partial<Record<keyof TaskFlags, readonly RuntimeName[]>>> = {
  pull: ['docker'],
  network: ['docker'],
  user: ['docker', 'process'],
  workdir: ['docker', 'process'],
  startAhead: ['docker', 'process'],
};

function checkRuntime(runtime: RuntimeName, flags: TaskFlags): void {
  const policies = interruptNamesFor(runtime);
  if (flags.onInterrupt !== undefined && !policies.includes(flags.onInterrupt)) {
    throw new UsageError(
      `--on-interrupt: ${flags.onInterrupt} is not for ${runtime}; allowed are ${policies.join(', ')}`,
    );
  }
  for (const [key, allowed] of Object.entries(runtimesOf)) {
    if (flags[key as keyof TaskFlags] === undefined || allowed.includes(runtime)) continue;
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`${flag}: is not for ${runtime}; allowed with ${allowed.join(' and ')}`);
  }
}
