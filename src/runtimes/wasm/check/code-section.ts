import { ByteReader, MalformedWasm, RefusedFeature } from './binary.ts';
import type { CoreModule } from './core-module.ts';
import { BodyReader, type FunctionShape } from './function-body.ts';

/**
 * Bounds on code. What real modules have at most (39 MB of DuckDB, PHP, Pyodide, esbuild in Go, SpiderMonkey,
 * QuickJS without optimisation, and others): 62 171 functions, 419 071 locals, 650 MB for one function (QuickJS
 * without optimisation; 181 MB for those with it), 1.3 MB of loops.
 */
export const codeBounds = {
  functions: 250_000,
  /** Of all functions together; the engine looks at each of them when it compiles the module (1 ns). */
  locals: 16_000_000,
  /** Bytes that either of the engine's compilers may need for one function. */
  compilerBytes: 768 * 1024 * 1024,
  /** Of one function: bytes of all loops, those inside others counted again. */
  loopBytes: 256 * 1024 * 1024,
} as const;

/** What the engine needs for the code of a module. */
export interface CodeCost {
  readonly functions: number;
  /** Bytes, for the function that needs most. */
  readonly compilerBytes: number;
}

/**
 * Reads all code of the module once: 26 MB in a quarter of a second.
 *
 * @throws RefusedFeature naming the function, the number and what is allowed
 */
export function checkCode(bytes: Uint8Array, { code, types, functions, tags }: CoreModule): CodeCost {
  if (code === undefined) return { functions: 0, compilerBytes: 0 };
  const reader = new ByteReader(bytes, code.from, code.to);
  const count = reader.u32();
  const imported = functions.length - count;
  if (imported < 0) throw new MalformedWasm(`${count} function bodies for ${functions.length} functions`);
  if (count > codeBounds.functions) throw tooMuch(`${count} functions`, codeBounds.functions);
  const tagValues = tags.map((type) => types[type]?.parameters ?? 0);
  const bodies = new BodyReader(bytes, { types, functions, tags: tagValues });
  let compilerBytes = 0;
  let locals = 0;
  for (let index = imported; index < functions.length; index += 1) {
    const type = types[functions[index] ?? -1];
    if (type === undefined) throw new MalformedWasm(`function ${index} has no type`);
    const length = reader.u32();
    const from = reader.position;
    reader.skip(length);
    const shape = explained(index, () => bodies.read(from, from + length, type));
    locals += shape.locals;
    if (locals > codeBounds.locals) {
      throw tooMuch(`${locals} or more locals in all its functions`, codeBounds.locals);
    }
    checkFunction(index, shape);
    compilerBytes = Math.max(compilerBytes, compilerBytesOf(shape));
  }
  return { functions: count, compilerBytes };
}

function checkFunction(index: number, shape: FunctionShape): void {
  const needed = compilerBytesOf(shape);
  if (needed > codeBounds.compilerBytes) {
    throw tooMuch(
      `a function (index ${index}) that takes the compiler about ${needed} bytes of memory: ${shape.bytes} bytes with ${shape.locals} locals and ${shape.edges} branches`,
      codeBounds.compilerBytes,
    );
  }
  if (shape.loopBytes > codeBounds.loopBytes) {
    throw tooMuch(
      `a function (index ${index}) whose loops come to ${shape.loopBytes} bytes, inner ones counted again`,
      codeBounds.loopBytes,
    );
  }
}

/**
 * What the worse of the two compilers may need. Fitted above the peak that Node 26.10 needed for 40 shapes of
 * functions at two sizes, each through Liftoff alone and TurboFan alone: it is 1 to 2 times that peak for shapes
 * made to be bad, and 3 times for the worst real function.
 */
function compilerBytesOf(shape: FunctionShape): number {
  const { bytes, edges, merges, phiInputs, instructionCost } = shape;
  const baseline = 100 * bytes + 400 * edges + 16 * merges;
  const optimising = 200 * bytes + 800 * edges + 10 * merges + 90 * phiInputs + instructionCost;
  return Math.max(baseline, optimising);
}

function tooMuch(what: string, allowed: number): RefusedFeature {
  return new RefusedFeature(`${what} (allowed is ${allowed})`);
}

function explained<T>(index: number, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof RefusedFeature)) throw error;
    throw new RefusedFeature(`${error.message} in function ${index}`);
  }
}
