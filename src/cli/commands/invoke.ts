import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { webhookMessage } from '../../server/wire/definition-message.ts';
import { dependenciesOf } from '../dependency-flags.ts';
import { dryRun } from '../dry-run.ts';
import { collect, collectPairs, delay, duration, oneOf } from '../flag.ts';
import { inInvokeFlags } from '../flag-words.ts';
import { interruptible } from '../interrupt.ts';
import { addInvocationFlags, type InvocationFlags, readInvocation } from '../invocation-flags.ts';
import { invokeAsync, invokeStream, invokeSync, type Request, showsOutputLive } from '../modes.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { readInput } from '../standard-input.ts';
import { webhook } from '../task-flags.ts';
import { UsageError } from '../usage-error.ts';

interface Options extends InvocationFlags {
  readonly mode: 'sync' | 'async' | 'stream';
  readonly input?: string | false;
  readonly after?: readonly string[];
  readonly inputFrom?: string;
  readonly paramFrom?: Readonly<Record<string, string>>;
  readonly waitBudget?: number;
  readonly startAfter?: number;
  readonly invocationId?: string;
  readonly dryRun?: boolean;
  readonly onEnd?: readonly object[];
  readonly cancelOnDisconnect?: boolean;
}

export function invokeCommand(shell: Shell): Command {
  const command = new Command('invoke')
    .description('run a function once')
    .argument('<task>', 'name or id, also with @REVISION or @ALIAS')
    .argument('[call]', "a typed call in WAVE, such as 'add(1, 2)', instead of --function and --param")
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
    .option('--no-input', 'nothing on standard input, whatever ours is');
  addInvocationFlags(command)
    .option(
      '--wait-budget <duration>',
      'how long one call waits before the next takes over',
      duration('--wait-budget'),
    )
    .option(
      '--on-end <webhook>',
      "tell a webhook of its end, besides the task's: [STATUSES@]URL[#SECRET] (repeatable)",
      webhook('--on-end'),
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
    .option('--dry-run', 'say what would become of it now, and run nothing')
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
  const { startAfter } = options;
  // Its input is what another one wrote.
  const input = options.inputFrom === undefined ? options.input : false;
  const isTyped = wave !== undefined || options.function !== undefined;
  const content = await readInput(session.shell, { isTyped, ...(input !== undefined && { input }) });
  return {
    ...(await readInvocation(session, task, wave, options, content)),
    ...(startAfter !== undefined && { startAfter: durationFromMs(startAfter) }),
    dependsOn: dependenciesOf(options),
    onEnd: (options.onEnd ?? []).map((each) => webhookMessage.write(each)),
    invocationId: options.invocationId ?? '',
    cancelOnDisconnect: options.cancelOnDisconnect === true,
  };
}
