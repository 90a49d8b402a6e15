import { loosened } from '../loosened.ts';
import type { TaskDefinition } from '../task.ts';
import type { RestoreAllowance } from './port.ts';

/** What a definition wants of its host beyond a closed sandbox, each with what it is for people. */
export function wantsOf(definition: TaskDefinition): ReadonlyMap<RestoreAllowance, readonly string[]> {
  const wants = new Map<RestoreAllowance, string[]>();
  const want = (allowance: RestoreAllowance, what: string): void => {
    wants.set(allowance, [...(wants.get(allowance) ?? []), what]);
  };
  if (definition.runtime === 'process') want('process', 'the process runtime');
  for (const line of loosened(definition)) {
    if (line.startsWith('network')) want('network', line);
    else if (line.startsWith('host folder')) want('preopens', line);
    else want('privileges', line);
  }
  return wants;
}
