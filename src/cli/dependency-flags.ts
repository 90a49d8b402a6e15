/** `--after`, `--input-from` and `--param-from`: what an invocation follows. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { quote } from '../domain/errors.ts';
import {
  DependencyCondition,
  DependencyPolicy,
  type DependencySchema,
} from '../server/gen/spearlet/function_pb.js';
import { UsageError } from './usage-error.ts';

export interface DependencyFlags {
  readonly after?: readonly string[];
  readonly inputFrom?: string;
  readonly paramFrom?: Readonly<Record<string, string>>;
}

type Message = MessageInitShape<typeof DependencySchema>;

/** Throws a UsageError that names the flag. */
export function dependenciesOf({ after = [], inputFrom, paramFrom = {} }: DependencyFlags): Message[] {
  const found = new Map<string, Message>();
  for (const text of after) {
    const dependency = parsed('--after', text);
    if (found.has(dependency.executionId)) {
      throw new UsageError(
        `--after: ${quote(dependency.executionId)} is there twice; allowed is each execution once`,
      );
    }
    found.set(dependency.executionId, dependency);
  }
  const takes = (flag: string, text: string, output: Pick<Message, 'asInput' | 'asParameter'>): void => {
    const dependency = parsed(flag, text);
    const { executionId } = dependency;
    const known = found.get(executionId);
    if (known?.asInput !== undefined || known?.asParameter !== undefined) {
      throw new UsageError(
        `${flag}: the output of ${quote(executionId)} goes elsewhere already; allowed is one place`,
      );
    }
    // What --after says of it stays.
    found.set(executionId, { ...(known ?? dependency), ...output });
  };
  if (inputFrom !== undefined) takes('--input-from', inputFrom, { asInput: true });
  for (const [name, text] of Object.entries(paramFrom)) {
    takes('--param-from', text, { asParameter: name });
  }
  return [...found.values()];
}

function parsed(flag: string, text: string): Message & { readonly executionId: string } {
  const [executionId = '', ...words] = text.split(':');
  const unknown = words.find((word) => word !== 'ended' && word !== 'anyway');
  if (executionId === '' || unknown !== undefined) {
    throw new UsageError(
      `${flag}: is ${quote(text)}; allowed is EXECUTION, EXECUTION:ended, EXECUTION:anyway or both`,
    );
  }
  return {
    executionId,
    ...(words.includes('ended') && { condition: DependencyCondition.ENDED }),
    ...(words.includes('anyway') && { onFailure: DependencyPolicy.RUN_ANYWAY }),
  };
}
