import { camelCase } from '../../../domain/wit/identifier.ts';
import type { WitFunction } from '../../../domain/wit/types.ts';
import { createModuleGuest } from '../preview1/guest.ts';
import type { LoadableProgram, ProgramFacts } from '../protocol.ts';
import { exitGuest, type RunContext } from './host/context.ts';
import { filesOf, type HostFactory, hostFor, type InstanceHost } from './host/imports.ts';
import type { LiftBudget } from './lift-budget.ts';
import { importProgram } from './program-code.ts';

type CoreImports = Record<string, Record<string, unknown>>;
type Instantiate = (
  getCoreModule: (file: string) => WebAssembly.Module,
  imports: object,
  instantiateCore: (module: WebAssembly.Module, imports?: CoreImports) => WebAssembly.Instance,
) => Record<string, unknown>;

interface CompiledCore {
  readonly file: string;
  readonly module: WebAssembly.Module;
  readonly instances: number;
  readonly memoryCap: number;
  readonly inert: boolean;
}

interface LoadedComponent {
  readonly kind: 'component';
  readonly program: ProgramFacts;
  readonly cores: readonly CompiledCore[];
  readonly instantiate: Instantiate;
  readonly host: HostFactory;
}

interface LoadedModule {
  readonly kind: 'module';
  readonly program: ProgramFacts;
  readonly cores: readonly [CompiledCore];
}

/** What is needed to instantiate a program. */
export type LoadedProgram = LoadedComponent | LoadedModule;

/**
 * Compiles a program. Throws where the engine refuses it.
 *
 * @param guards see `CodeMessage`
 */
export async function loadProgram(
  { source, cores, ...program }: LoadableProgram,
  guards: string,
): Promise<LoadedProgram> {
  const compiled = cores.map(({ bytes, ...core }) => ({ ...core, module: new WebAssembly.Module(bytes) }));
  if (source === '') {
    const [core] = compiled;
    if (core === undefined) throw new Error('a program without code');
    return { kind: 'module', program, cores: [core] };
  }
  const { instantiate } = await importProgram(program.key, source);
  return {
    kind: 'component',
    program,
    cores: compiled,
    // What jco generates has this one export, with this type.
    instantiate: instantiate as Instantiate,
    host: await hostFor(program, guards),
  };
}

/** One instance of a component or of a core module, for as long as it is well. */
export interface Guest {
  readonly context: RunContext;
  /** Runs the command; returns or throws, as the guest does. */
  runCommand(): void;
  /** @returns what jco gives for the function's result; throws what the guest threw. */
  call(fn: WitFunction, parameters: readonly unknown[]): unknown;
  /** Bytes of the linear memories that can be seen, now and at most. */
  memory(): { readonly used: number; readonly cap: number };
  /** Closes what it has left open; nothing of it is called after. */
  close(): void;
}

/** Instantiates the program; throws where an import is missing, where it does not fit, or where its start traps. */
export function createGuest(loaded: LoadedProgram, context: RunContext, budget: LiftBudget): Guest {
  if (loaded.kind === 'component') return createComponentGuest(loaded, context, budget);
  const files = filesOf(loaded.program);
  return createModuleGuest(loaded.cores[0].module, context, { memoryCap: memoryCapOf(loaded), files });
}

function createComponentGuest(loaded: LoadedComponent, context: RunContext, budget: LiftBudget): Guest {
  const { program, cores } = loaded;
  const memories = new Set<WebAssembly.Memory>();
  const wasmFunctions = new WeakSet<object>();
  const left = new Map(cores.map((core) => [core.module, core.instances]));

  function instantiateCore(module: WebAssembly.Module, imports?: CoreImports): WebAssembly.Instance {
    const remaining = left.get(module) ?? 0;
    if (remaining === 0)
      throw new Error('more instances of a core module than the memory limit was divided among');
    left.set(module, remaining - 1);
    const bound = renewing(exactExit(imports ?? {}, context), wasmFunctions, budget);
    const instance = new WebAssembly.Instance(module, bound);
    for (const value of Object.values(instance.exports)) {
      if (value instanceof WebAssembly.Memory) memories.add(value);
      else if (typeof value === 'function') wasmFunctions.add(value);
    }
    return instance;
  }

  const modules = new Map(cores.map((core) => [core.file, core.module]));
  const host = loaded.host.instance(context);
  const exports = orClose(host, () =>
    loaded.instantiate(
      (file) => {
        const module = modules.get(file);
        if (module === undefined) throw new Error(`no core module ${file}`);
        return module;
      },
      host.imports,
      instantiateCore,
    ),
  );
  const cap = memoryCapOf(loaded);

  return {
    context,
    runCommand() {
      functionIn(exports[program.command], 'run')();
    },
    call(fn, parameters) {
      const [path = '', member] = fn.name.split('#');
      const target = member === undefined ? functionIn(exports, path) : functionIn(exports[path], member);
      return target(...parameters);
    },
    memory: () => ({ used: [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0), cap }),
    close: () => host.close(),
  };
}

function orClose<T>(host: InstanceHost, make: () => T): T {
  try {
    return make();
  } catch (error) {
    host.close();
    throw error;
  }
}

/** Bytes that the linear memories of one instance may come to. */
export function memoryCapOf({ cores }: Pick<LoadedProgram, 'cores'>): number {
  return cores.reduce((sum, core) => sum + core.memoryCap * core.instances, 0);
}

function functionIn(owner: unknown, name: string): (...parameters: readonly unknown[]) => unknown {
  const found = owner instanceof Object ? Reflect.get(owner, camelCase(name)) : undefined;
  if (typeof found !== 'function') throw new Error(`the component has no function ${name}`);
  return found as (...parameters: readonly unknown[]) => unknown;
}

/** The preview-1 adapter knows only success and failure; its program's own `proc_exit` has the code. */
function exactExit(imports: CoreImports, context: RunContext): CoreImports {
  const preview1 = imports.wasi_snapshot_preview1;
  if (preview1?.proc_exit === undefined) return imports;
  const procExit = (code: number) => exitGuest(context, code >>> 0);
  return { ...imports, wasi_snapshot_preview1: { ...preview1, proc_exit: procExit } };
}

/** The imports, where each call of the host renews the budget; calls between modules stay as they are. */
function renewing(imports: CoreImports, wasmFunctions: WeakSet<object>, budget: LiftBudget): CoreImports {
  const entries = Object.entries(imports).map(([module, members]) => {
    const bound = Object.entries(members).map(([name, value]) => {
      if (typeof value !== 'function' || wasmFunctions.has(value)) return [name, value];
      const hostCall = (...parameters: unknown[]): unknown => {
        budget.renew();
        return value(...parameters);
      };
      return [name, hostCall];
    });
    return [module, Object.fromEntries(bound)];
  });
  return Object.fromEntries(entries);
}
