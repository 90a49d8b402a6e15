import { camelCase } from '../../../domain/wit/identifier.ts';
import type { WitFunction } from '../../../domain/wit/types.ts';
import { Refused } from './refused.ts';

/**
 * What jco-transpile 0.15.0 does not rename when a function has its name: `arguments`, which strict JavaScript
 * does not let be declared (nor as a method), and the variables that it numbers itself. Found by giving a function each name that is
 * declared in the source that it writes for a component with every kind of type, import and export.
 */
const takenFunction =
  /^(arguments|(callback|captureCnt|captureTable|exports|finalizationRegistry|handleTable|instanceFlags|memory|module|postReturn|realloc|trampoline)\d+(Async)?)$/;

/** The classes of JavaScript that a resource of the same name would hide, found likewise. */
const takenResource = /^(map|set)$/;

/**
 * @param exported the names that the component itself exports
 * @throws Refused naming the export with which the generated JavaScript could never start
 */
export function checkExportNames(exported: readonly string[], functions: readonly WitFunction[]): void {
  for (const name of [...exported, ...functions.map((fn) => fn.name)]) {
    const local = name.slice(name.indexOf('#') + 1);
    const [, resource, method] = /^\[\w+\]([^.]*)\.?(.*)$/.exec(local) ?? [];
    const isTaken =
      resource === undefined
        ? takenFunction.test(camelCase(local))
        : takenResource.test(resource) || method === 'arguments';
    if (!isTaken) continue;
    throw new Refused(
      `it exports ${JSON.stringify(name)}, a name that is taken in the JavaScript that it is made into; give it another`,
    );
  }
}
