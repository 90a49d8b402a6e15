/** What runs a task: its artifact, the container of a docker task, the instances that are kept ready. */
import type { Artifact, ContainerSettings, WarmPolicy } from '../task.ts';
import { type Check, field, list, object, oneOf, optional, text, truth, whole } from './check.ts';
import { type About, flag } from './form.ts';
import {
  absolutePath,
  argumentList,
  digest,
  kibibyte,
  label,
  mebibyte,
  mostBytes,
  path,
  positive,
} from './values.ts';

const mostInstances = 1000;
/** As many as the wire has bits for. */
const mostUses = 2 ** 32 - 1;

export const runtimeKind = oneOf('wasm', 'docker', 'process');

type OfKind<Kind extends Artifact['kind']> = Extract<Artifact, { kind: Kind }>;

const artifacts: { readonly [Kind in Artifact['kind']]: Check<OfKind<Kind>> } = {
  wasm: object<OfKind<'wasm'>>({
    kind: oneOf('wasm'),
    sha256: digest,
    sizeBytes: whole(0, mostBytes, 'bytes'),
    url: optional(path),
  }),
  process: object<OfKind<'process'>>({ kind: oneOf('process'), path: absolutePath, sha256: digest }),
  docker: object<OfKind<'docker'>>({ kind: oneOf('docker'), image: label, imageId: digest }),
};

export const artifact: Check<Artifact> = (value, place) => {
  const kind = value !== null && typeof value === 'object' && 'kind' in value ? value.kind : undefined;
  return artifacts[runtimeKind(kind, `${place}.kind`)](value, place);
};

export const docker: Pick<About, 'runtimes'> = { runtimes: ['docker'] };
export const native: Pick<About, 'runtimes'> = { runtimes: ['docker', 'process'] };

export const networkName = text(64, /^[A-Za-z0-9][A-Za-z0-9_.-]*$/, {
  words: { what: 'the name of a network', allowed: 'the name of a docker network, such as bridge' },
});

export const container = object<ContainerSettings>({
  command: field(argumentList, {
    means: "Instead of the image's own entrypoint and command; the task's args follow it.",
    default: [],
  }),
  pull: field(oneOf('missing', 'always', 'never'), {
    means: 'When the image is fetched, at registration.',
    default: 'missing',
    ...flag('--pull <policy>', 'docker: missing, always, never', 'What runs:'),
    ...docker,
  }),
  network: field(networkName, {
    means: 'A network of the engine, with `allow_network`.',
    shown: '',
    default: 'bridge',
    ...flag('--network <name>', 'docker: this network', 'What it may reach:'),
    ...docker,
  }),
  writableRoot: field(truth, { means: 'Lets it write to its root file system.', default: false, shown: '' }),
  capabilities: field(
    list(
      text(40, /^(?!CAP_)[A-Z][A-Z_]*$/, {
        words: { what: 'a capability', allowed: 'a name such as NET_BIND_SERVICE' },
      }),
      64,
    ),
    { means: 'Capabilities to keep, such as NET_BIND_SERVICE.', default: [], shown: '' },
  ),
  tmpfsSize: field(whole(64 * kibibyte, mostBytes, 'bytes'), {
    means: 'Size of the writable `/tmp`.',
    default: 16 * mebibyte,
    shown: '/tmp',
  }),
  allowNewPrivileges: field(truth, {
    means: 'Lets it gain privileges through set-user-id programs.',
    default: false,
    shown: '',
  }),
});

export const warm = object<WarmPolicy>({
  min: field(whole(0, mostInstances), {
    means: 'Instances kept ready.',
    defaultWords: '0, or 1 with `start_ahead`',
    ...flag('--warm-min <n>', 'instances kept ready', 'Instances:'),
  }),
  max: field(whole(0, mostInstances), {
    means: 'The most that stay ready.',
    defaultWords: 'as many as `min`; wasm: one for each guest host',
    ...flag('--warm-max <n>', 'instances that stay ready at most', 'Instances:'),
  }),
  idleTimeoutMs: field(positive, {
    means: 'One beyond `min` that has done nothing for so long is ended.',
    default: 60_000,
  }),
  maxUses: optional(whole(1, mostUses), {
    means: 'Executions that one instance may run.',
    defaultWords: 'docker, process: 1',
  }),
  startAhead: field(truth, {
    means: 'Starts the program before anyone invokes it; it must wait for its standard input.',
    default: false,
    ...flag(
      '--start-ahead',
      'docker, process: start before the call; it must wait for its input',
      'Instances:',
    ),
    ...native,
  }),
});
