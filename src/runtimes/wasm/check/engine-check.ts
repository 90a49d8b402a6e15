import { Refused } from './refused.ts';

/**
 * Sees that the engine takes a module: it checks the types of all instructions, and compiles no function before it is
 * called.
 *
 * @throws Refused
 */
export async function checkWithEngine(bytes: Uint8Array): Promise<void> {
  try {
    // Nothing here has shared memory, which the types of a browser do not let through.
    await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new Refused(`the engine refuses it: ${words.slice(0, 300)}`, { cause });
  }
}
