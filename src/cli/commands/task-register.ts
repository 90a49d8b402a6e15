import { Command } from 'commander';
import { RegisterTaskResponseSchema } from '../../server/gen/spearlet/task_pb.js';
import type { Definition } from '../definition.ts';
import { exitCodes } from '../exit-codes.ts';
import { inTaskFile, inTaskFlags } from '../flag-words.ts';
import { register } from '../registration.ts';
import { onServer } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { addTaskFlags, readTaskFlags, type TaskFlags } from '../task-flags.ts';
import { UsageError } from '../usage-error.ts';

interface Options extends TaskFlags {
  readonly file?: string;
  readonly ifAbsent?: boolean;
}

export function taskRegisterCommand(shell: Shell): Command {
  const command = new Command('register')
    .description('register a task: an equal definition is the same task, a changed one its next revision')
    .usage(
      'NAME --runtime wasm|docker|process --artifact ARTIFACT [options] [-- ARG…]\n       spear task register [NAME] --file TASK.yaml',
    )
    .argument('[name]', 'with --file, instead of the name that the file gives')
    .argument('[args...]', "the program's arguments, after --")
    .option('--file <file>', 'all of it from a YAML or JSON file, which can say more than flags')
    .option('--if-absent', 'refuse where the name is taken');
  addTaskFlags(command).optionsGroup('Server:');
  onServer<Options>(
    command,
    shell,
    async (session, options, [name, ...args]) => {
      const { file, ifAbsent = false } = options;
      const definition =
        file === undefined
          ? await readTaskFlags(name, args, options)
          : await fromFile(file, name, args, options);
      const answer = await register(session, { definition, ifAbsent });
      if (session.json) {
        await session.printDocument(RegisterTaskResponseSchema, answer);
      } else if (answer.task !== undefined) {
        const { definition: registered, taskId, revision } = answer.task;
        const what = answer.changed ? 'registered' : 'unchanged:';
        await note(shell, `${what} ${registered?.name} (${taskId}, revision ${revision})`);
      }
      return exitCodes.completed.code;
    },
    (message, { file }) => (file === undefined ? inTaskFlags(message) : inTaskFile(message)),
  );
  return command;
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
  // Loaded only here: a reader of YAML takes a twentieth of the start of a command.
  const { readTaskFile } = await import('../task-file.ts');
  const definition = await readTaskFile(file);
  return name === undefined ? definition : { ...definition, name };
}
