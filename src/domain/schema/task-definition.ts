/**
 * All that a task may say: the type, bounds, default and words of each field. Messages, files and flags, snapshots, what
 * `spear task show` prints and the reference in docs/tasks.md are derived from it. How fields have to fit each other is
 * in `server/wire/task.ts`, and what a node allows in `domain/task-bounds.ts`.
 */
import type { TaskDefinition, TimerPolicies } from '../task.ts';
import {
  type Fields,
  type Formed,
  field,
  map,
  object,
  oneOf,
  optional,
  text,
  truth,
  whole,
} from './check.ts';
import { flag, type ObjectForm } from './form.ts';
import { cache } from './task-cache.ts';
import { concurrency, rate, restartIntensity } from './task-gates.ts';
import { artifact, container, docker, native, runtimeKind, warm } from './task-instances.ts';
import { limits, retry, timeouts } from './task-limits.ts';
import { onEnd } from './task-webhooks.ts';
import {
  absolutePath,
  argumentList,
  environment,
  environmentValue,
  fairnessKey,
  labels,
  mostPathBytes,
  networkList,
  positive,
  priority,
  runsOn,
  secrets,
  user,
} from './values.ts';

export const interruptPolicy = oneOf('rerun', 'fail', 'reattachOrRerun', 'reattachOrFail');
export const maxRecoveries = whole(0, 1000);
const timer = oneOf('absolute', 'remaining', 'anew');
export const timers = object<TimerPolicies>({ start: timer, queue: timer, attempt: timer, total: timer });

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
    means:
      'WebAssembly: the same as `network: [public]`. docker: a network of the engine. A process always has one.',
    default: false,
    shown: '',
    ...flag('--allow-network', 'the network: wasm: all that is public', 'What it may reach:'),
  }),
  network: optional(networkList, {
    means:
      'What it may reach, and nothing else: `public`, `HOST`, `*.DOMAIN`, an address or a CIDR; all but the first also with `:PORT`. docker: over HTTP, by the proxy that its environment names.',
    shown: '',
    runtimes: ['wasm', 'docker'],
    ...flag(
      '--reach <destination>',
      'public, HOST[:PORT], *.DOMAIN[:PORT], CIDR[:PORT] (repeatable)',
      'What it may reach:',
    ),
  }),
  secrets: optional(secrets, {
    means:
      "Names, and the keys of the node's secrets that stand under them. docker: files in `/run/secrets`; process: files in the folder that `SPEAR_SECRETS` names; wasm, and with `env:KEY` everywhere: variables of the environment.",
    shown: '',
    ...flag(
      '--secret <name=key>',
      'a secret of the node, as KEY or env:KEY (repeatable)',
      'What it may reach:',
    ),
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
  user: field(user, {
    means: 'As whom it runs.',
    default: '',
    shown: '',
    defaultWords: 'one without privileges',
    ...flag('--user <user[:group]>', 'docker, process: as whom it runs', 'What it may reach:'),
    ...native,
  }),
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
  priority: optional(priority, {
    means:
      'Which of those of its tenant that wait for a slot go first: while there is work of all, slots go to them as 1 to 4 to 16 to 64. An invocation may have another.',
    defaultWords: 'normal',
    ...flag('--priority <priority>', 'low, normal, high, urgent', 'Limits:'),
  }),
  fairnessKey: optional(fairnessKey, {
    means: 'Executions of one priority with different keys take turns. An invocation may have another.',
    defaultWords: 'one for all that have none',
    ...flag('--fairness-key <key>', 'executions with different keys take turns', 'Limits:'),
  }),
  concurrency,
  rate,
  restartIntensity,
  cache,
  onEnd,
  runsOn: optional(runsOn, {
    means:
      'Labels that a node has to have (`--labels` of `spear serve`) to run it: `VALUE`, `A|B` for one of them, `!A|B` for none of them, `*` for any, `!*` for none at all, or `>=`, `<=`, `>`, `<` with a number. Where no node of the cluster has them it waits; a node that is alone refuses it.',
    defaultWords: 'any node',
    ...flag(
      '--runs-on <label=wish>',
      'a label that its node has to have, such as gpu=* (repeatable)',
      'What runs:',
    ),
  }),
};

export const taskDefinition: Formed<TaskDefinition, ObjectForm> = object(definitionFields);
