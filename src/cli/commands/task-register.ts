import { Command } from 'commander';
import { RegisterTaskResponseSchema } from '../../server/gen/spearlet/task_pb.js';
import {
  type Definition,
  optionalBytes,
  optionalDuration,
  policies,
  policyNames,
  readArtifact,
  resolvePreopens,
  runtimeNames,
  runtimes,
} from '../definition.ts';
import { exitCodes } from '../exit-codes.ts';
import { collectPairs, duration, oneOf, size } from '../flag.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { readTaskFile } from '../task-file.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly file?: string;
  readonly ifAbsent?: boolean;
  readonly runtime?: (typeof runtimeNames)[number];
  readonly artifact?: string;
  readonly description?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly preopen?: Readonly<Record<string, string>>;
  readonly allowNetwork?: boolean;
  readonly timeout?: number;
  readonly memory?: number;
  readonly instancePolicy?: (typeof policyNames)[number];
}

export function taskRegisterCommand(shell: Shell): Command {
  const command = new Command('register')
    .description('register a task: an equal definition is the same task, a changed one its next revision')
    .usage(
      'NAME --runtime wasm|docker|process --artifact PATH_OR_IMAGE [options] [-- ARG…]\n       spear task register [NAME] --file TASK.yaml',
    )
    .argument('[name]', 'with --file, instead of the name that the file gives')
    .argument('[args...]', "the program's arguments, after --")
    .option('--file <file>', 'all of it from a YAML or JSON file')
    .option('--runtime <kind>', runtimeNames.join(', '), oneOf('--runtime', runtimeNames))
    .option(
      '--artifact <path-or-image>',
      'wasm: a file here; process: a path on the server; docker: an image',
    )
    .option('--description <text>', 'for people')
    .option('--env <name=value>', 'an environment variable (repeatable)', collectPairs('--env'))
    .option(
      '--preopen <guest=host>',
      'a folder of the server that the function sees (repeatable)',
      collectPairs('--preopen', 'GUEST=HOST'),
    )
    .option('--allow-network', 'let a wasm function use the network')
    .option('--timeout <duration>', 'from admission to the end, such as 5s', duration('--timeout'))
    .option('--memory <size>', 'of one instance, such as 64MiB', size('--memory'))
    .option('--instance-policy <policy>', policyNames.join(', '), oneOf('--instance-policy', policyNames))
    .option('--if-absent', 'refuse where the name is taken');
  onServer<Options>(command, shell, async (session, options, [name, ...args]) => {
    const { file, ifAbsent = false } = options;
    const definition =
      file === undefined ? await fromFlags(name, args, options) : await fromFile(file, name, args, options);
    const answer = await session.tasks.registerTask({ definition, ifAbsent });
    if (session.json) {
      await session.printDocument(RegisterTaskResponseSchema, answer);
    } else if (answer.task !== undefined) {
      const { definition: registered, taskId, revision } = answer.task;
      const what = answer.changed ? 'registered' : 'unchanged:';
      await note(shell, `${what} ${registered?.name} (${taskId}, revision ${revision})`);
    }
    return exitCodes.completed.code;
  });
  return command;
}

async function fromFlags(
  name: string | undefined,
  args: readonly string[],
  options: Options,
): Promise<Definition> {
  const { runtime, artifact, timeout, memory, instancePolicy } = options;
  if (name === undefined) throw new UsageError('NAME: is missing; allowed is a name, or --file');
  if (runtime === undefined)
    throw new UsageError(`--runtime: is missing; allowed are ${runtimeNames.join(', ')}`);
  if (artifact === undefined)
    throw new UsageError('--artifact: is missing; allowed is a path, or an image for docker');
  const here = process.cwd();
  return {
    name,
    description: options.description ?? '',
    runtime: runtimes[runtime],
    artifact: await readArtifact('--artifact', runtime, artifact, here),
    args: [...args],
    environment: { ...options.env },
    preopens: resolvePreopens(options.preopen ?? {}, here),
    allowNetwork: options.allowNetwork === true,
    timeouts: { total: optionalDuration(timeout) },
    limits: { memory: optionalBytes(memory) },
    ...(instancePolicy !== undefined && { instancePolicy: policies[instancePolicy] }),
  };
}

async function fromFile(
  file: string,
  name: string | undefined,
  args: readonly string[],
  { file: _file, ifAbsent: _ifAbsent, ...rest }: Options,
): Promise<Definition> {
  const beside = Object.entries(rest).filter(
    ([key, value]) => value !== undefined && key !== 'address' && key !== 'json',
  );
  if (args.length > 0 || beside.length > 0) {
    throw new UsageError('--file: says all of the task; allowed beside it are NAME and --if-absent');
  }
  const definition = await readTaskFile(file);
  return name === undefined ? definition : { ...definition, name };
}
