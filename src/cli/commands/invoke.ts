import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { type Priority, priorities } from '../../domain/scheduling/priority.ts';
import { webhookMessage } from '../../server/wire/definition-message.ts';
import { readCall } from '../call.ts';
import { dependenciesOf } from '../dependency-flags.ts';
import { dryRun } from '../dry-run.ts';
import { collect, collectPairs, delay, duration, oneOf } from '../flag.ts';
import { inInvokeFlags } from '../flag-words.ts';
import { interruptible } from '../interrupt.ts';
import { invokeAsync, invokeStream, invokeSync, type Request, showsOutputLive } from '../modes.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { readInput } from '../standard-input.ts';
import { webhook } from '../task-flags.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly function?: string;
  readonly mode: 'sync' | 'async' | 'stream';
  readonly input?: string | false;
  readonly contentType?: string;
  readonly param?: Readonly<Record<string, string>>;
  readonly arg?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly queueTimeout?: number;
  readonly attemptTimeout?: number;
  readonly after?: readonly string[];
  readonly inputFrom?: string;
  readonly paramFrom?: Readonly<Record<string, string>>;
  readonly waitBudget?: number;
  readonly startAfter?: number;
  readonly invocationId?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly label?: Readonly<Record<string, string>>;
  readonly priority?: string;
  readonly fairnessKey?: string;
  readonly refuseIfLate?: boolean;
  readonly dryRun?: boolean;
  readonly onEnd?: readonly object[];
  readonly bypassCache?: boolean;
  readonly forceNewInstance?: boolean;
  readonly cancelOnDisconnect?: boolean;
}

export function invokeCommand(shell: Shell): Command {
  const command = new Command('invoke')
    .description('run a function once')
    .argument('<task>', 'name or id, also with @REVISION or @ALIAS')
    .argument('[call]', "a typed call in WAVE, such as 'add(1, 2)', instead of --function and --param")
    .option('--function <name>', 'the exported function; without it the default entry')
    .option(
      '--mode <mode>',
      'sync, async (prints the execution id) or stream',
      oneOf('--mode', ['sync', 'async', 'stream']),
      'sync',
    )
    .option(
      '--input <file>',
      'standard input of the function; without it ours, unless that is a terminal; - is ours',
    )
    .option('--no-input', 'nothing on standard input, whatever ours is')
    .option('--content-type <type>', 'media type of the input, kept with the execution')
    .option(
      '--param <name=json>',
      'a parameter of a typed function (repeatable)',
      collectPairs('--param', 'NAME=JSON'),
    )
    .option('--arg <arg>', "an argument, after the task's own (repeatable)", collect)
    .option(
      '--env <name=value>',
      "an environment variable, over the task's own (repeatable)",
      collectPairs('--env'),
    )
    .option('--timeout <duration>', 'from admission to the end, such as 5s', duration('--timeout'))
    .option('--queue-timeout <duration>', 'the longest stay in the queue', duration('--queue-timeout'))
    .option('--attempt-timeout <duration>', 'of each attempt', duration('--attempt-timeout'))
    .option(
      '--wait-budget <duration>',
      'how long one call waits before the next takes over',
      duration('--wait-budget'),
    )
    .option('--start-after <duration>', 'delay before it may be queued', delay('--start-after'))
    .option(
      '--after <execution>',
      'begin when that one has completed; EXECUTION:ended takes any end, and EXECUTION:anyway runs also where it did not end so (repeatable)',
      collect,
    )
    .option('--input-from <execution>', 'begin after that one, with its output as standard input')
    .option(
      '--param-from <name=execution>',
      'begin after that one, with its output as that parameter (repeatable)',
      collectPairs('--param-from', 'NAME=EXECUTION'),
    )
    .option('--invocation-id <id>', 'idempotency key: the same id joins the same execution')
    .option(
      '--metadata <name=value>',
      'a note of your own, echoed in the result (repeatable)',
      collectPairs('--metadata'),
    )
    .option(
      '--label <key=value>',
      "a label to list by, over the task's own (repeatable)",
      collectPairs('--label', 'KEY=VALUE'),
    )
    .option(
      '--priority <priority>',
      "which of your tenant's go first: low, normal, high, urgent (default: the task's)",
      oneOf('--priority', priorities),
    )
    .option('--fairness-key <key>', "those with different keys take turns (default: the task's)")
    .option('--refuse-if-late', 'take it only if it will likely be over within its total timeout')
    .option('--dry-run', 'say what would become of it now, and run nothing')
    .option('--bypass-cache', "run it whatever its task's cache has, and keep its result there")
    .option(
      '--on-end <webhook>',
      "tell a webhook of its end, besides the task's: [STATUSES@]URL[#SECRET] (repeatable)",
      webhook('--on-end'),
    )
    .option('--force-new-instance', 'never use an instance that ran something before')
    .option('--cancel-on-disconnect', 'cancel it when this command goes away and nobody else watches');
  const given = new Set<string>();
  for (const name of ['input', 'no-input']) command.on(`option:${name}`, () => given.add(name));
  onServer<Options>(
    command,
    shell,
    async (session, options, [task = '', wave]) => {
      if (given.size > 1) {
        throw new UsageError('--input: stands beside --no-input; allowed is one of them');
      }
      if (given.has('input') && options.inputFrom !== undefined) {
        throw new UsageError('--input: stands beside --input-from; allowed is one of them');
      }
      const request = await readRequest(session, task, wave, options);
      if (options.dryRun === true) return dryRun(session, request, options.mode);
      // Whoever sees the output as it comes knows the id from the first event on, and can cancel by it.
      const isShown = options.mode === 'stream' || (options.mode === 'sync' && showsOutputLive(session));
      const leavingCancels = options.cancelOnDisconnect === true && options.mode === 'sync' && !isShown;
      return interruptible(session, leavingCancels, (interrupt) => {
        if (options.mode === 'async') return invokeAsync(session, request, interrupt);
        if (isShown && (options.mode === 'stream' || options.cancelOnDisconnect === true)) {
          return invokeStream(session, request, interrupt);
        }
        return invokeSync(session, request, options.waitBudget, interrupt);
      });
    },
    inInvokeFlags,
  );
  return command;
}

async function readRequest(
  session: Session,
  task: string,
  wave: string | undefined,
  options: Options,
): Promise<Request> {
  const { timeout, queueTimeout, attemptTimeout, startAfter } = options;
  // Its input is what another one wrote.
  const input = options.inputFrom === undefined ? options.input : false;
  const isTyped = wave !== undefined || options.function !== undefined;
  const content = await readInput(session.shell, { isTyped, ...(input !== undefined && { input }) });
  return {
    task,
    ...(await readCall(session, task, wave, options)),
    ...(content !== undefined && { input: content }),
    contentType: options.contentType ?? '',
    args: [...(options.arg ?? [])],
    environment: { ...options.env },
    timeouts: {
      ...(timeout !== undefined && { total: durationFromMs(timeout) }),
      ...(queueTimeout !== undefined && { queue: durationFromMs(queueTimeout) }),
      ...(attemptTimeout !== undefined && { attempt: durationFromMs(attemptTimeout) }),
    },
    ...(startAfter !== undefined && { startAfter: durationFromMs(startAfter) }),
    dependsOn: dependenciesOf(options),
    invocationId: options.invocationId ?? '',
    metadata: { ...options.metadata },
    labels: { ...options.label },
    // The wire numbers them in their order, from 1; 0 is the task's.
    priority: priorities.indexOf(options.priority as Priority) + 1,
    fairnessKey: options.fairnessKey ?? '',
    refuseIfLate: options.refuseIfLate === true,
    bypassCache: options.bypassCache === true,
    onEnd: (options.onEnd ?? []).map((each) => webhookMessage.write(each)),
    forceNewInstance: options.forceNewInstance === true,
    cancelOnDisconnect: options.cancelOnDisconnect === true,
  };
}
