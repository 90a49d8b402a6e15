/**
 * All that a task may say: the type, bounds, default and words of each field. Messages, files and flags, snapshots, what
 * `spear task show` prints and the reference in docs/tasks.md are derived from it. How fields have to fit each other is
 * in `server/wire/task.ts`, and what a node allows in `domain/task-bounds.ts`.
 */
import type {
  Artifact,
  ContainerSettings,
  Limits,
  RetryPolicy,
  TaskDefinition,
  Timeouts,
  TimerPolicies,
  WarmPolicy,
} from '../task.ts';
import {
  type Check,
  duration,
  type Fields,
  type Formed,
  field,
  list,
  map,
  number,
  object,
  oneOf,
  optional,
  text,
  truth,
  whole,
} from './check.ts';
import type { About, Flag, FlagGroup, ObjectForm } from './form.ts';
import {
  absolutePath,
  argumentList,
  digest,
  environment,
  environmentValue,
  errorCode,
  label,
  labels,
  longestMs,
  mostBytes,
  mostPathBytes,
  path,
} from './values.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const mostInstances = 1000;
/** As many as the wire has bits for. */
const mostUses = 2 ** 32 - 1;

const positive = duration(1, longestMs);
const delay = duration(0, longestMs);

function flag(words: string, help: string, group: FlagGroup): { readonly flag: Flag } {
  return { flag: { words, help, group } };
}

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

const artifact: Check<Artifact> = (value, place) => {
  const kind = value !== null && typeof value === 'object' && 'kind' in value ? value.kind : undefined;
  return artifacts[runtimeKind(kind, `${place}.kind`)](value, place);
};

const timeouts = object<Timeouts>({
  queueMs: optional(positive, { means: 'The longest wait for a place to run in.', shown: 'queue timeout' }),
  attemptMs: optional(positive, { means: 'The longest that one attempt may run.', shown: 'attempt timeout' }),
  totalMs: optional(positive, {
    means: 'From admission to the end, with all attempts and the time between them.',
    shown: 'total timeout',
    defaultWords: "the node's `--default-timeout`",
    ...flag('--timeout <duration>', 'from admission to the end, such as 5s', 'Limits:'),
  }),
});

const limits = object<Limits>({
  memory: optional(whole(64 * kibibyte, mostBytes, 'bytes'), {
    means: 'Memory of one instance, swap included: linear memories and tables for WebAssembly.',
    isMost: true,
    defaultWords: '128 MiB',
    ...flag('--memory <size>', 'of one instance, such as 64MiB', 'Limits:'),
  }),
  cpu: optional(number(0.01, 1024, 'cores'), {
    means: 'Processor cores; 0.5 is half of one.',
    isMost: true,
    defaultWords: 'docker: 1',
    ...flag('--cpu <cores>', 'such as 0.5', 'Limits:'),
  }),
  cpuTimeMs: optional(duration(1000, longestMs), {
    means: 'Processor time of one attempt.',
    isMost: true,
    ...flag('--cpu-time <duration>', 'of one attempt, 1s or more', 'Limits:'),
  }),
  processes: optional(whole(1, 1_000_000), {
    means: 'Processes and threads at once.',
    isMost: true,
    defaultWords: 'docker, process: 128',
    ...flag('--processes <n>', 'processes and threads at once', 'Limits:'),
  }),
  openFiles: optional(whole(16, 1_000_000), { means: 'Open files of each process.', isMost: true }),
  fileSize: optional(whole(0, mostBytes, 'bytes'), {
    means: 'The largest file that can be written.',
    isMost: true,
  }),
  maxOutputBytes: field(whole(0, mostBytes, 'bytes'), {
    means: 'stdout and stderr of a whole execution.',
    defaultWords: '64 MiB',
    shown: 'output',
    isMost: true,
  }),
  maxOutputEvents: field(whole(1, 10_000_000), {
    means: 'Chunks in the log of a whole execution.',
    defaultWords: '100000',
    shown: '',
  }),
});

export const retry = object<RetryPolicy>({
  maxAttempts: field(whole(1, 1000), {
    means: 'Attempts in all; 1 is no retry.',
    default: 1,
    shown: '',
  }),
  initialMs: field(delay, { means: 'The delay before the second attempt.', default: 200, shown: '' }),
  factor: field(number(1, 100), { means: 'Each delay is the one before times this.', default: 2, shown: '' }),
  maxMs: field(delay, { means: 'No delay is longer.', default: 30_000, shown: '' }),
  jitter: field(number(0, 1), { means: 'The share of each delay that is random.', default: 0.1, shown: '' }),
  on: field(list(errorCode, 64), {
    means: 'The codes that are tried again.',
    default: [],
    defaultWords: 'every USER code, ATTEMPT_TIMEOUT and the transient PLATFORM ones',
    shown: '',
  }),
});

const docker: Pick<About, 'runtimes'> = { runtimes: ['docker'] };
const native: Pick<About, 'runtimes'> = { runtimes: ['docker', 'process'] };

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
  network: field(
    text(64, /^[A-Za-z0-9][A-Za-z0-9_.-]*$/, {
      words: { what: 'the name of a network', allowed: 'the name of a docker network, such as bridge' },
    }),
    {
      means: 'A network of the engine, with `allow_network`.',
      shown: '',
      default: 'bridge',
      ...flag('--network <name>', 'docker: this network', 'What it may reach:'),
      ...docker,
    },
  ),
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

export const interruptPolicy = oneOf('rerun', 'fail', 'reattachOrRerun', 'reattachOrFail');
export const maxRecoveries = whole(0, 1000);
const timer = oneOf('absolute', 'remaining', 'anew');
export const timers = object<TimerPolicies>({ start: timer, queue: timer, attempt: timer, total: timer });

const name = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}';

export const definitionFields: Fields<TaskDefinition> = {
  name: field(
    text(63, /^(?!task_|exec_)[a-z0-9][a-z0-9._-]{0,62}$/, {
      words: {
        what: 'a name',
        allowed: '[a-z0-9][a-z0-9._-]{0,62}, starting with neither task_ nor exec_',
      },
    }),
    { means: 'What it is called by.', shown: '' },
  ),
  description: field(text(1024), {
    means: 'For people.',
    default: '',
    ...flag('--description <text>', 'for people', 'What runs:'),
  }),
  runtime: field(runtimeKind, {
    means: 'What runs it.',
    ...flag('--runtime <kind>', 'wasm, docker, process', 'What runs:'),
  }),
  artifact: field(artifact, {
    means:
      'wasm: a file here, or a URL with https://; process: a path on the server; docker: an image. With `sha256` as a mapping of `path`, `url` or `image`.',
    ...flag(
      '--artifact <artifact>',
      'wasm: a file here or https://…; process: a path on the server; docker: an image',
      'What runs:',
    ),
  }),
  args: field(argumentList, { means: "The program's arguments.", default: [] }),
  environment: field(environment(environmentValue), {
    means: 'Variables of the environment.',
    default: {},
    secret: true,
    shown: 'env',
    ...flag('--env <name=value>', 'an environment variable (repeatable)', 'What runs:'),
  }),
  preopens: field(map(absolutePath, 1024, absolutePath), {
    means: 'Guest paths, and the folders of the server that stand there; nothing else of its files is seen.',
    default: {},
    shown: '',
    ...flag('--preopen <guest=host>', 'a folder of the server (repeatable)', 'What it may reach:'),
  }),
  allowNetwork: field(truth, {
    means: 'Lets a WebAssembly function or a container use the network. A process always can.',
    default: false,
    shown: '',
    ...flag('--allow-network', 'the network', 'What it may reach:'),
  }),
  timeouts,
  graceMs: field(positive, {
    means: 'How long the end of an attempt may take after it was asked for.',
    default: 5000,
    shown: '',
    ...flag('--grace <duration>', 'of an end that was asked for (default 5s)', 'Limits:'),
  }),
  limits,
  retry,
  instancePolicy: field(oneOf('fresh', 'reused'), {
    means:
      'A new instance for each execution, or one that earlier executions may have used: typed exports only.',
    default: 'fresh',
    ...flag('--instance-policy <policy>', 'fresh, reused', 'Instances:'),
  }),
  user: field(
    text(129, new RegExp(`^${name}(:${name})?$`), {
      words: { what: 'a user', allowed: 'USER or USER:GROUP, as names or numbers' },
      mayBeEmpty: true,
    }),
    {
      means: 'As whom it runs.',
      default: '',
      shown: '',
      defaultWords: 'one without privileges',
      ...flag('--user <user[:group]>', 'docker, process: as whom it runs', 'What it may reach:'),
      ...native,
    },
  ),
  workingDirectory: field(
    text(mostPathBytes, /^\//, {
      words: { what: 'a folder', allowed: 'an absolute path' },
      mayBeEmpty: true,
    }),
    {
      means: 'Where it starts.',
      default: '',
      defaultWords: "the image's; process: an empty folder, emptied after the attempt",
      shown: 'folder',
      ...flag('--workdir <dir>', 'docker, process: where it starts', 'What runs:'),
      ...native,
    },
  ),
  container: optional(container, docker),
  warm,
  onInterrupt: optional(interruptPolicy, {
    means: 'What becomes of an execution whose attempt was lost.',
    defaultWords: 'wasm: rerun; docker: reattach-or-rerun; process: fail',
    ...flag(
      '--on-interrupt <policy>',
      'rerun, fail; docker also: reattach-or-rerun, reattach-or-fail',
      'When an attempt is lost:',
    ),
  }),
  maxRecoveries: optional(maxRecoveries, {
    means: 'Attempts that an execution may lose to crashes of its node before it ends with INTERRUPTED.',
    defaultWords: '3',
    shown: 'recoveries',
    isMost: true,
    ...flag(
      '--max-recoveries <n>',
      'attempts that an execution may lose to crashes of its node (default 3)',
      'When an attempt is lost:',
    ),
  }),
  timers: optional(
    object<Partial<TimerPolicies>>({
      start: optional(timer, { means: 'The start delay.', defaultWords: 'remaining' }),
      queue: optional(timer, { means: 'The queue timeout.', defaultWords: 'remaining' }),
      attempt: optional(timer, {
        means: 'The attempt timeout of an attempt that was paused.',
        defaultWords: 'anew',
      }),
      total: optional(timer, { means: 'The total timeout.', defaultWords: 'absolute' }),
    }),
    {
      means:
        'What each timer does about the time between a snapshot and its restore, or a suspend and its resume.',
    },
  ),
  labels: optional(labels, {
    means: 'For people and for filters; its executions have them, too.',
    shown: 'label',
    ...flag('--label <key=value>', 'a label of it and its executions (repeatable)', 'What runs:'),
  }),
};

export const taskDefinition: Formed<TaskDefinition, ObjectForm> = object(definitionFields);
