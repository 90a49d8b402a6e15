/** What a definition says of the instances that run it: their user and folder, their container, those kept ready. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument, quote } from '../../domain/errors.ts';
import type { ContainerSettings, RuntimeKind, WarmPolicy } from '../../domain/task.ts';
import {
  type ContainerSettingsSchema,
  PullPolicy,
  type WarmPolicySchema,
  type ContainerSettings as WireContainer,
  type TaskDefinition as WireDefinition,
  type WarmPolicy as WireWarm,
} from '../gen/spearlet/task_pb.js';
import { pullFromWire, pullToWire } from './enums.ts';
import { argumentList, most, positiveDuration, text } from './fields.ts';
import { bounded, within } from './limits.ts';

const mebibyte = 1024 * 1024;
const defaults = { tmpfsSize: 16 * mebibyte, network: 'bridge', idleTimeoutMs: 60_000 } as const;
const mostInstances = 1000;
/** As a snapshot's task is checked. */
const mostCapabilities = 64;

export function userFromWire(user: string): string {
  if (user !== '' && !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,63})?$/.test(user)) {
    throw invalidArgument('definition.user', `${quote(user)} is not a user; allowed are USER and USER:GROUP`);
  }
  return user;
}

export function workingDirectoryFromWire(path: string): string {
  if (path !== '' && !path.startsWith('/')) {
    throw invalidArgument(
      'definition.working_directory',
      `${quote(path)} is not a folder; allowed is an absolute path`,
    );
  }
  return text('definition.working_directory', path, 4096);
}

/** The settings of a docker task; undefined for others, which must not have any. */
export function containerFromWire(
  runtime: RuntimeKind,
  definition: WireDefinition,
): ContainerSettings | undefined {
  const { container, allowNetwork } = definition;
  if (runtime !== 'docker') {
    if (container === undefined) return undefined;
    throw invalidArgument('definition.container', `is for docker tasks; allowed for ${runtime} is none`);
  }
  const field = 'definition.container';
  const network = container?.network ?? '';
  if (network !== '' && !allowNetwork) {
    throw invalidArgument(`${field}.network`, 'is given; allowed with allow_network only');
  }
  if (network !== '' && !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(network)) {
    throw invalidArgument(`${field}.network`, `${quote(network)} is not the name of a network`);
  }
  return {
    command: argumentList(`${field}.command`, container?.command ?? []),
    pull: pullPolicyFromWire(`${field}.pull`, container?.pull ?? PullPolicy.UNSPECIFIED),
    network: network === '' ? defaults.network : network,
    writableRoot: container?.writableRoot ?? false,
    capabilities: capabilitiesFromWire(`${field}.capabilities`, container),
    tmpfsSize: bounded(`${field}.tmpfs_size`, container?.tmpfsSize, 64 * 1024, 2 ** 40) ?? defaults.tmpfsSize,
    allowNewPrivileges: container?.allowNewPrivileges ?? false,
  };
}

function pullPolicyFromWire(field: string, policy: PullPolicy): ContainerSettings['pull'] {
  if (policy === PullPolicy.UNSPECIFIED) return 'missing';
  const known = pullFromWire.get(policy);
  if (known === undefined) {
    throw invalidArgument(field, `${policy} is not known; allowed are MISSING, ALWAYS, NEVER`);
  }
  return known;
}

function capabilitiesFromWire(field: string, container: WireContainer | undefined): readonly string[] {
  const names = container?.capabilities ?? [];
  most(field, names.length, mostCapabilities);
  for (const [index, name] of names.entries()) {
    if (!/^[A-Z][A-Z_]{0,39}$/.test(name) || name.startsWith('CAP_')) {
      throw invalidArgument(
        `${field}[${index}]`,
        `${quote(name)} is not a capability; allowed are names such as NET_BIND_SERVICE`,
      );
    }
  }
  return [...new Set(names)].sort();
}

/** An absent policy keeps no instance ready. */
export function warmFromWire(runtime: RuntimeKind, warm: WireWarm | undefined): WarmPolicy {
  const field = 'definition.warm';
  const startAhead = warm?.startAhead ?? false;
  const once = runtime !== 'wasm';
  if (once && !startAhead && warm !== undefined) {
    throw invalidArgument(
      `${field}.start_ahead`,
      `is false; allowed is true, as a warm ${runtime} instance is one that runs before anyone invokes it`,
    );
  }
  const min = within(`${field}.min`, warm?.min, 0, mostInstances) ?? (startAhead ? 1 : 0);
  const max = within(`${field}.max`, warm?.max, 0, mostInstances) ?? (once ? min : mostInstances);
  if (max < min) throw invalidArgument(`${field}.max`, `is ${max}; allowed is ${min}, which is min, or more`);
  const maxUses = within(`${field}.max_uses`, warm?.maxUses, 1, 4_294_967_295);
  if (once && maxUses !== undefined && maxUses > 1) {
    throw invalidArgument(
      `${field}.max_uses`,
      `is ${maxUses}; allowed is 1, as a ${runtime} runs one execution`,
    );
  }
  return {
    min,
    max,
    idleTimeoutMs: positiveDuration(`${field}.idle_timeout`, warm?.idleTimeout) ?? defaults.idleTimeoutMs,
    ...(once ? { maxUses: 1 } : maxUses !== undefined && { maxUses }),
    startAhead,
  };
}

export function containerToWire(
  settings: ContainerSettings,
): MessageInitShape<typeof ContainerSettingsSchema> {
  return {
    command: [...settings.command],
    pull: pullToWire[settings.pull],
    network: settings.network,
    writableRoot: settings.writableRoot,
    capabilities: [...settings.capabilities],
    tmpfsSize: BigInt(settings.tmpfsSize),
    allowNewPrivileges: settings.allowNewPrivileges,
  };
}

export function warmToWire(warm: WarmPolicy): MessageInitShape<typeof WarmPolicySchema> {
  return {
    min: warm.min,
    max: warm.max,
    idleTimeout: durationFromMs(warm.idleTimeoutMs),
    ...(warm.maxUses !== undefined && { maxUses: warm.maxUses }),
    startAhead: warm.startAhead,
  };
}
