import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import type { FunctionSignature, TaskDefinition } from '../../domain/task.ts';
import { opaqueReason, printType } from '../../domain/wit/type-text.ts';
import type { Attempt, AttemptIo, AttemptOutcome, PreparedArtifact, Runtime } from '../runtime.ts';
import { ArtifactCache, ArtifactMissing } from './artifact-cache.ts';
import type { Manifest } from './manifest.ts';
import { PendingJob } from './pending.ts';
import { ThreadPool } from './pool.ts';
import { ProgramStore } from './program-store.ts';
import type { Program } from './protocol.ts';
import { createTranspile } from './transpile.ts';

interface WasmLogger {
  warn(details: object, message: string): void;
}

export interface WasmRuntimeOptions {
  /** The bytes of an artifact, by hex digest; rejects where they are gone. */
  readonly loadArtifact: (sha256: string) => Promise<Uint8Array>;
  /** Folder for transpiled artifacts; can be deleted whenever no node runs. */
  readonly cacheDir: string;
  /** Worker threads kept warm. */
  readonly workers: number;
  /** Executions that run at once, each in a thread of its own; absent means `workers`. */
  readonly mostWorkers?: number;
  readonly clock: Clock;
  readonly logger?: WasmLogger;
}

/** Runs WASI components and preview-1 modules in worker threads. Nothing starts before the first task. */
export function createWasmRuntime(options: WasmRuntimeOptions): Runtime {
  const closing = new AbortController();
  const cache = new ArtifactCache({
    cacheDir: options.cacheDir,
    loadArtifact: options.loadArtifact,
    transpile: createTranspile(closing.signal),
  });
  const programs = new ProgramStore(cache);
  const pool = new ThreadPool(options.workers, options.mostWorkers ?? options.workers, options.clock);

  function start(
    program: Program,
    attempt: Attempt,
    io: AttemptIo,
    signal: AbortSignal,
  ): Promise<AttemptOutcome> {
    const { invocation, task } = attempt;
    const job = {
      // A command runs once in an instance; only typed functions find one alive.
      reuse:
        task.instancePolicy === 'reused' && invocation.functionName !== '' && !invocation.forceNewInstance,
      functionName: invocation.functionName,
      parameters: invocation.parameters,
      input: invocation.input,
      args: invocation.args,
      environment: invocation.environment,
    };
    const pending = new PendingJob(program, job, io, signal, pool);
    if (signal.aborted) pending.stopUnstarted();
    else pool.add(pending);
    return pending.outcome;
  }

  async function loadAndStart(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    const loading = programs.load(attempt.taskId, attempt.revision, attempt.task);
    const aborted = Promise.withResolvers<undefined>();
    const onAbort = () => aborted.resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const program = signal.aborted ? undefined : await Promise.race([loading, aborted.promise]);
      if (program !== undefined) return start(program, attempt, io, signal);
      loading.catch(() => undefined);
      return { kind: 'stopped', rung: 'cooperative', instanceId: '', resourceUse: {} };
    } catch (error) {
      options.logger?.warn({ taskId: attempt.taskId, err: error }, 'a wasm task could not be made ready');
      return notReady(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    kind: 'wasm',
    capabilities: { reattach: false, stdin: true, typedFunctions: true },
    async prepare(task: TaskDefinition): Promise<PreparedArtifact> {
      try {
        const { manifest } = await programs.check(task);
        pool.warm();
        return { functions: signatures(manifest), wit: manifest.wit };
      } catch (error) {
        if (error instanceof ArtifactMissing) {
          throw new RequestError('failed_precondition', error.message, {
            reason: 'ARTIFACT_UNAVAILABLE',
            cause: error,
          });
        }
        throw error;
      }
    },
    run(attempt, io, signal) {
      const program = programs.find(attempt.taskId, attempt.revision);
      return program === undefined ? loadAndStart(attempt, io, signal) : start(program, attempt, io, signal);
    },
    async close() {
      closing.abort();
      await pool.close();
    },
  };
}

function signatures(manifest: Manifest): FunctionSignature[] {
  const command = { name: '', parameters: [], result: '', reason: '' };
  const typed = manifest.functions.map((fn) => ({
    name: fn.name,
    parameters: fn.parameters.map(({ name, type }) => ({ name, type: printType(type) })),
    result: fn.result === undefined ? '' : printType(fn.result),
    reason: opaqueReason(fn),
  }));
  return manifest.command === '' ? typed : [command, ...typed];
}

function notReady(error: unknown): AttemptOutcome {
  const facts = { instanceId: '', resourceUse: {} };
  if (error instanceof ArtifactMissing) {
    return { kind: 'failed', code: 'ARTIFACT_UNAVAILABLE', message: error.message, ...facts };
  }
  const message =
    error instanceof RequestError ? error.message : 'the artifact could not be made ready to run';
  return { kind: 'failed', code: 'START_FAILED', message, ...facts };
}
