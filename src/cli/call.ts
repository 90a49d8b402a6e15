import { fromJson, type MessageInitShape } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import { liveAlias } from '../domain/revisions/reference.ts';
import { parseWit } from '../domain/wit/parse.ts';
import { parseCall } from '../domain/wit/wave.ts';
import type { InvokeFunctionRequestSchema } from '../server/gen/spearlet/function_pb.js';
import type { Task } from '../server/gen/spearlet/task_pb.js';
import { parseParameter } from './parameter.ts';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

interface CallOptions {
  readonly function?: string;
  /** Name to JSON text. */
  readonly param?: Readonly<Record<string, string>>;
}

type Call = Pick<MessageInitShape<typeof InvokeFunctionRequestSchema>, 'functionName' | 'parameters'>;

/**
 * The function and its parameters: out of a call in WAVE, which is read with the types of the task, or out of
 * `--function` and `--param`. Throws a UsageError or RequestError that names the flag, parameter or column.
 */
export async function readCall(
  session: Pick<Session, 'tasks'>,
  task: string,
  wave: string | undefined,
  options: CallOptions,
): Promise<Call> {
  if (wave === undefined) {
    const parameters = Object.entries(options.param ?? {}).map(
      ([name, text]) => [name, fromJson(ValueSchema, parseParameter(name, text))] as const,
    );
    return { functionName: options.function ?? '', parameters: Object.fromEntries(parameters) };
  }
  if (options.function !== undefined || options.param !== undefined) {
    throw new UsageError('--function and --param: stand beside a CALL; allowed is one or the other');
  }
  const found = await calledTask(session, task);
  const { functionName, parameters } = parseCall(wave, parseWit(found?.wit ?? ''));
  const values = Object.entries(parameters).map(
    ([name, value]) => [name, fromJson(ValueSchema, value)] as const,
  );
  return { functionName, parameters: Object.fromEntries(values) };
}

/** The types that the call is checked by: the plain name of a task goes to its alias `live` where it has one. */
async function calledTask({ tasks }: Pick<Session, 'tasks'>, task: string): Promise<Task | undefined> {
  const { task: found } = await tasks.getTask({ task });
  const goesToLive = !task.includes('@') && found?.aliases.some(({ name }) => name === liveAlias) === true;
  return goesToLive ? (await tasks.getTask({ task: `${task}@${liveAlias}` })).task : found;
}
