import { type LooseningKind, looseningsOf } from '../loosened.ts';
import type { TaskDefinition } from '../task.ts';
import type { RestoreAllowance } from './port.ts';

/** What an operator has to allow for each. */
const allowances: Readonly<Record<LooseningKind, RestoreAllowance>> = {
  network: 'network',
  secret: 'secrets',
  hostFolder: 'preopens',
  user: 'privileges',
  writableRoot: 'privileges',
  capability: 'privileges',
  newPrivileges: 'privileges',
};

/** What a definition wants of its host beyond a closed sandbox, each with what it is for people. */
export function wantsOf(definition: TaskDefinition): ReadonlyMap<RestoreAllowance, readonly string[]> {
  const wants = new Map<RestoreAllowance, string[]>();
  const want = (allowance: RestoreAllowance, what: string): void => {
    wants.set(allowance, [...(wants.get(allowance) ?? []), what]);
  };
  if (definition.runtime === 'process') want('process', 'the process runtime');
  for (const { kind, text } of looseningsOf(definition)) want(allowances[kind], text);
  return wants;
}
