/** The flags that say what is to be invoked, for whoever invokes it, now or later. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Command } from 'commander';
import { type Priority, priorities } from '../domain/scheduling/priority.ts';
import { readCall } from './call.ts';
import { collect, collectPairs, duration, oneOf } from './flag.ts';
import type { Session } from './session.ts';

export interface InvocationFlags {
  readonly function?: string;
  readonly contentType?: string;
  readonly param?: Readonly<Record<string, string>>;
  readonly arg?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number;
  readonly queueTimeout?: number;
  readonly attemptTimeout?: number;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly label?: Readonly<Record<string, string>>;
  readonly priority?: string;
  readonly fairnessKey?: string;
  readonly refuseIfLate?: boolean;
  readonly bypassCache?: boolean;
  readonly forceNewInstance?: boolean;
}

export function addInvocationFlags(command: Command): Command {
  return command
    .option('--function <name>', 'the exported function; without it the default entry')
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
    .option('--bypass-cache', "run it whatever its task's cache has, and keep its result there")
    .option('--force-new-instance', 'never use an instance that ran something before');
}

/** What they say, with the input as it was read. */
export async function readInvocation(
  session: Session,
  task: string,
  wave: string | undefined,
  options: InvocationFlags,
  input: Uint8Array | undefined,
) {
  const { timeout, queueTimeout, attemptTimeout } = options;
  return {
    task,
    ...(await readCall(session, task, wave, options)),
    ...(input !== undefined && { input }),
    contentType: options.contentType ?? '',
    args: [...(options.arg ?? [])],
    environment: { ...options.env },
    timeouts: {
      ...(timeout !== undefined && { total: durationFromMs(timeout) }),
      ...(queueTimeout !== undefined && { queue: durationFromMs(queueTimeout) }),
      ...(attemptTimeout !== undefined && { attempt: durationFromMs(attemptTimeout) }),
    },
    metadata: { ...options.metadata },
    labels: { ...options.label },
    // The wire numbers them in their order, from 1; 0 is the task's.
    priority: priorities.indexOf(options.priority as Priority) + 1,
    fairnessKey: options.fairnessKey ?? '',
    refuseIfLate: options.refuseIfLate === true,
    bypassCache: options.bypassCache === true,
    forceNewInstance: options.forceNewInstance === true,
  };
}
