import { encodeError, encodeResult } from '../../../domain/wit/encode.ts';
import type { WitFunction } from '../../../domain/wit/types.ts';
import type { AttemptOutcome } from '../../runtime.ts';
import { maxResultBytes } from '../hosts/protocol.ts';
import type { Guest } from './guest.ts';

type Spread<T> = T extends unknown ? Omit<T, 'instanceId' | 'resourceUse'> : never;

/** An outcome without the facts of the host that ran it. */
export type Ending = Spread<AttemptOutcome>;

/** The share of a guest's memory that is left, below which a trap is counted as running out of it. */
const nearShare = 8;

export function commandEnding(exitCode: number): Ending {
  if (exitCode === 0) return { kind: 'completed', exitCode };
  return {
    kind: 'failed',
    code: 'FUNCTION_EXIT',
    message: `the function exited with code ${exitCode}`,
    exitCode,
  };
}

export function valueEnding(fn: WitFunction, value: unknown): Ending {
  return withinSize(encodeResult(fn, value), (output) => ({ kind: 'completed', output }));
}

/** How a guest ended that threw: by its exit, by the error side of its result, or by a trap. */
export function thrownEnding(guest: Guest, fn: WitFunction | undefined, thrown: unknown): Ending {
  const { exitCode } = guest.context;
  if (exitCode !== undefined) return commandEnding(exitCode);
  if (isComponentError(thrown)) {
    if (fn === undefined) return commandEnding(1);
    if (fn.result?.kind === 'result') {
      return withinSize(encodeError(fn, thrown.payload), (output) => ({
        kind: 'failed',
        code: 'FUNCTION_ERROR',
        message: 'the function returned an error',
        output,
      }));
    }
  }
  return trapEnding(guest, thrown);
}

export function trapEnding(guest: Guest, thrown: unknown): Ending {
  const { used, cap } = guest.memory();
  const near = cap > 0 && cap - used <= cap / nearShare;
  const what = `${describe(thrown)} (memory used ${used} of ${cap} bytes)`;
  if (near)
    return { kind: 'failed', code: 'MEMORY_LIMIT', message: `trapped near its memory limit: ${what}` };
  return { kind: 'failed', code: 'TRAP', message: `trapped: ${what}` };
}

export function startEnding(thrown: unknown): Ending {
  const code = thrown instanceof WebAssembly.RuntimeError ? 'TRAP' : 'START_FAILED';
  return { kind: 'failed', code, message: `the instance did not start: ${describe(thrown)}` };
}

function withinSize(output: string, make: (output: string) => Ending): Ending {
  const bytes = Buffer.byteLength(output);
  if (bytes <= maxResultBytes) return make(output);
  const message = `the result is ${bytes} bytes of JSON; the most is ${maxResultBytes}`;
  return { kind: 'failed', code: 'RESULT_TOO_LARGE', message };
}

/** jco's class is made anew in each transpiled module, so it is known by its name and its payload. */
function isComponentError(thrown: unknown): thrown is { readonly payload: unknown } {
  return thrown instanceof Error && thrown.constructor.name === 'ComponentError' && 'payload' in thrown;
}

function describe(thrown: unknown): string {
  // Of what it carries, the engine shows nothing.
  if (thrown instanceof WebAssembly.Exception) return 'an exception of the guest that it did not catch';
  const text = thrown instanceof Error ? thrown.message : JSON.stringify(thrown);
  return (text ?? 'no message').slice(0, 500).toWellFormed();
}
