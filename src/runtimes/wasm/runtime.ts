import type { Clock } from '../../domain/clock.ts';
import { RequestError } from '../../domain/errors.ts';
import type { InstanceReporter } from '../../domain/instance.ts';
import { networkOf } from '../../domain/network/network-list.ts';
import { tenantOf } from '../../domain/scope.ts';
import type { FunctionSignature, TaskDefinition } from '../../domain/task.ts';
import { opaqueReason, printType } from '../../domain/wit/type-text.ts';
import type { HostFolders } from '../host-folders.ts';
import {
  type Attempt,
  type AttemptIo,
  type AttemptOutcome,
  LaunchError,
  noSecrets,
  type PreparedArtifact,
  type Runtime,
  type SecretSource,
  type Secrets,
} from '../runtime.ts';
import { secretVariables } from '../secrets/secret-variables.ts';
import { holdsDescriptors } from './files/anchor.ts';
import type { HostLauncher } from './hosts/host-process.ts';
import { PendingJob } from './hosts/pending.ts';
import { PlainHostLauncher } from './hosts/plain-host.ts';
import { HostPools } from './hosts/pools.ts';
import type { NetworkRules, Program } from './hosts/protocol.ts';
import type { WasmLogger } from './logger.ts';
import { ArtifactCache, ArtifactMissing } from './programs/artifact-cache.ts';
import { checkPreopens, checkSettings, defaultLimits } from './programs/limits.ts';
import type { Manifest } from './programs/manifest.ts';
import { ProgramStore } from './programs/program-store.ts';
import { resolveArtifact, type SourceOptions } from './programs/source.ts';
import { createTranspile } from './programs/transpile.ts';

export interface WasmRuntimeOptions extends SourceOptions {
  /** The bytes of an artifact, by hex digest; rejects where they are gone or damaged. */
  readonly loadArtifact: (sha256: string) => Promise<Uint8Array>;
  /** Folder for transpiled artifacts; can be deleted whenever no node runs. */
  readonly cacheDir: string;
  /** Guest hosts kept warm for tasks that reach nothing outside. */
  readonly hosts: number;
  /** Executions that run at once, each in a host of its own; absent means `hosts`. */
  readonly maxHosts?: number;
  /** Starts guest hosts; absent means as plain children of this process. */
  readonly launcher?: HostLauncher;
  /** What guests with a network may not reach, asked before each of them; absent means loopback. */
  readonly networkRules?: () => NetworkRules;
  /** Tasks may have preopens also where their guests cannot be kept inside them. */
  readonly unsafePreopens?: boolean;
  /** Whether guests can be kept inside their preopens; absent means as this machine can. */
  readonly holdsFolders?: boolean;
  /** Which folders tasks may have; absent means any. */
  readonly folders?: HostFolders;
  /** Absent means that tasks have none. */
  readonly secrets?: SecretSource;
  readonly clock: Clock;
  /** Hears of each guest host, which is an instance that serves many tasks; absent means nobody does. */
  readonly instances?: InstanceReporter;
  readonly logger?: WasmLogger;
}

interface WasmRuntime extends Runtime {
  /** Resolves when the program is as ready as it can be, or is not wanted any more. Never rejects. */
  warm(taskId: string, revision: number, task: TaskDefinition): Promise<void>;
}

/** Runs WASI components and preview-1 modules in guest hosts. Nothing starts before the first task. */
export function createWasmRuntime(options: WasmRuntimeOptions): WasmRuntime {
  const closing = new AbortController();
  const { launcher = new PlainHostLauncher() } = options;
  const { unsafePreopens = false, holdsFolders = holdsDescriptors, folders } = options;
  const allowPreopens = holdsFolders || unsafePreopens;
  const cache = new ArtifactCache({
    cacheDir: options.cacheDir,
    loadArtifact: options.loadArtifact,
    transpile: createTranspile({ launcher, clock: options.clock, signal: closing.signal }),
  });
  const programs = new ProgramStore(cache, unsafePreopens);
  const hosts = new HostPools({ ...options, launcher });

  function start(
    program: Program,
    attempt: Attempt,
    io: AttemptIo,
    signal: AbortSignal,
    secrets: Secrets = noSecrets,
  ): Promise<AttemptOutcome> {
    const refused = folders?.refusal(program.preopens);
    if (refused !== undefined) return Promise.resolve(notStarted(refused.reason));
    const pool = hosts.for(program);
    const { values, fingerprint } = secrets;
    const given = { environment: secretVariables(values), fingerprint };
    const pending = new PendingJob(program, attempt, given, io, signal, pool);
    if (signal.aborted) pending.stopUnstarted();
    else pool.add(pending);
    return pending.outcome;
  }

  async function load({ taskId, revision, task }: Attempt): Promise<Program> {
    checkPreopens(task, allowPreopens);
    return programs.load(taskId, revision, task);
  }

  async function secretsOf(attempt: Attempt): Promise<Secrets> {
    const { secrets } = options;
    const { task } = attempt;
    if (secrets === undefined || task.secrets === undefined) return noSecrets;
    return secrets.read(task, tenantOf(attempt));
  }

  async function loadAndStart(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    const loading = Promise.all([load(attempt), secretsOf(attempt)]);
    const aborted = Promise.withResolvers<undefined>();
    const onAbort = () => aborted.resolve(undefined);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const ready = signal.aborted ? undefined : await Promise.race([loading, aborted.promise]);
      if (ready !== undefined) return start(ready[0], attempt, io, signal, ready[1]);
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
    capabilities: { reattach: false, pause: false, stdin: true, typedFunctions: true },
    defaultLimits,
    checkSettings,
    resolve: (draft, fetching) => resolveArtifact(draft, fetching, options),
    async prepare(task: TaskDefinition): Promise<PreparedArtifact> {
      checkSettings(task);
      checkPreopens(task, allowPreopens);
      folders?.check(task);
      try {
        const { manifest } = await programs.check(task);
        hosts.warm({ preopens: task.preopens, network: networkOf(task) });
        return { functions: signatures(manifest), wit: manifest.kind === 'component' ? manifest.wit : '' };
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
      const isReady = program !== undefined && attempt.task.secrets === undefined;
      return isReady ? start(program, attempt, io, signal) : loadAndStart(attempt, io, signal);
    },
    async warm(taskId, revision, task) {
      if (task.warm.min === 0) return;
      try {
        checkPreopens(task, allowPreopens);
        folders?.check(task);
        const program = await programs.keep(taskId, revision, task);
        // One with secrets begins with those of its first execution.
        const live = task.instancePolicy === 'reused' && task.secrets === undefined;
        if (program !== undefined) await hosts.for(program).keep(program, live);
      } catch (error) {
        options.logger?.warn({ taskId, err: error }, 'a wasm task could not be made ready ahead of its use');
      }
    },
    cool(taskId, revision) {
      const program = programs.forget(taskId, revision);
      if (program !== undefined) hosts.for(program).cool(program);
    },
    async close() {
      closing.abort();
      await hosts.close();
      await launcher.close();
    },
  };
}

function signatures(manifest: Manifest): FunctionSignature[] {
  const command = { name: '', parameters: [], result: '', reason: '' };
  if (manifest.kind === 'module') return [command];
  const typed = manifest.functions.map((fn) => ({
    name: fn.name,
    parameters: fn.parameters.map(({ name, type }) => ({ name, type: printType(type) })),
    result: fn.result === undefined ? '' : printType(fn.result),
    reason: opaqueReason(fn),
  }));
  return manifest.command === '' ? typed : [command, ...typed];
}

function notStarted(message: string): AttemptOutcome {
  return { kind: 'failed', code: 'START_FAILED', message, instanceId: '', resourceUse: {} };
}

function notReady(error: unknown): AttemptOutcome {
  const facts = { instanceId: '', resourceUse: {} };
  if (error instanceof ArtifactMissing) {
    return { kind: 'failed', code: 'ARTIFACT_UNAVAILABLE', message: error.message, ...facts };
  }
  if (error instanceof LaunchError) return notStarted(error.message);
  return notStarted(
    error instanceof RequestError ? error.message : 'the artifact could not be made ready to run',
  );
}
