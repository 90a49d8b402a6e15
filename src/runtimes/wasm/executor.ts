import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { decodeParameters } from '../../domain/wit/decode.ts';
import { findFunction } from '../../domain/wit/lookup.ts';
import type { AttemptOutcome } from '../runtime.ts';
import { commandEnding, type Ending, startEnding, thrownEnding, valueEnding } from './ending.ts';
import { createGuest, type Guest, type LoadedProgram, memoryCapOf } from './guest.ts';
import type { RunContext } from './host/context.ts';
import { hostFor } from './host/imports.ts';
import { guardCopies, LiftBudget } from './lift-budget.ts';
import { type LiveGuest, LiveGuests } from './live-guests.ts';
import {
  type Batch,
  claim,
  claimWord,
  type Job,
  type Notice,
  type Preparation,
  type Program,
  recordKind,
  type SourceFile,
  type WorkerData,
  type WorkerMessage,
} from './protocol.ts';
import { maxRecordBytes, RingWriter } from './ring.ts';

const damaged: Ending = {
  kind: 'failed',
  code: 'ARTIFACT_UNAVAILABLE',
  message: 'the transpiled artifact is gone from the cache, or is damaged',
};

/** Runs jobs one at a time on this thread and writes output and replies to the thread's ring. */
export function createExecutor({ name, memory }: WorkerData, ring: () => void) {
  const writer = new RingWriter(memory.ring, ring);
  const programs = new Map<number, Program>();
  const loaded = new Map<number, LoadedProgram>();
  const imported = new Set<string>();
  const live = new LiveGuests();
  const budget = new LiftBudget();
  let instances = 0;
  guardCopies(budget);

  async function handle(message: WorkerMessage): Promise<void> {
    if (message.kind === 'batch') return run(message);
    if (message.kind === 'prepare') return prepare(message);
    programs.delete(message.program);
    loaded.delete(message.program);
    live.dismiss(message.program);
  }

  async function run(batch: Batch): Promise<void> {
    for (const program of batch.programs) programs.set(program.key, program);
    for (const job of batch.jobs) {
      const open = claimWord(batch.batch, claim.open);
      const started = claimWord(batch.batch, claim.started);
      if (Atomics.compareExchange(memory.claims, job.slot, open, started) !== open) continue;
      const found = loaded.get(job.program) ?? (await load(job.program));
      reply(
        job.slot,
        'instantiate' in found ? execute(found, job) : { ...found, instanceId: '', resourceUse: {} },
      );
      // Exchanged, not stored: once the reply is read the slot may already belong to the next batch.
      Atomics.compareExchange(memory.claims, job.slot, started, claimWord(batch.batch, claim.done));
    }
  }

  async function prepare(preparation: Preparation): Promise<void> {
    for (const program of preparation.programs) programs.set(program.key, program);
    const key = preparation.program;
    const found = loaded.get(key) ?? (await load(key));
    const failure = 'instantiate' in found ? preparation.live && startAhead(found) : found;
    if (failure && 'message' in failure) notify({ program: key, state: 'failed', reason: failure.message });
    else notify({ program: key, state: 'ready' });
  }

  /** Makes an instance that nobody has asked for yet: what it writes while it starts goes nowhere. */
  function startAhead(found: LoadedProgram): Ending | undefined {
    const { program } = found;
    const { key } = program;
    live.await(key);
    if (live.get(key) !== undefined) return undefined;
    const context = contextOf(program, { input: new Uint8Array(), args: [], environment: {} }, () => {});
    budget.begin(memoryCapOf(program));
    try {
      const guest = createGuest(found, context, budget);
      if (context.exitCode !== undefined) {
        guest.close();
        throw new Error(`exit ${context.exitCode}`);
      }
      live.keep(key, { guest, instanceId: `${name}-${++instances}`, uses: 0 });
      return undefined;
    } catch (error) {
      return startEnding(error);
    } finally {
      budget.end();
    }
  }

  async function load(key: number): Promise<LoadedProgram | Ending> {
    const program = programs.get(key);
    if (program === undefined) return startEnding(new Error(`the worker was not given program ${key}`));
    try {
      const { url } = program.source;
      // What was imported before is not read again.
      if (!imported.has(url) && !(await isWhole(program.source))) return damaged;
      const source = await import(url);
      imported.add(url);
      const entry = { program, instantiate: source.instantiate, host: await hostFor(program) };
      loaded.set(key, entry);
      return entry;
    } catch (error) {
      return startEnding(error);
    }
  }

  function execute(program: LoadedProgram, job: Job): AttemptOutcome {
    const before = process.threadCpuUsage();
    memory.cpuStart[0] = before.user + before.system;
    const write: RunContext['write'] = (stream, bytes) => writer.write(recordKind[stream], job.slot, bytes);
    const context = contextOf(program.program, job, write);
    budget.begin(memoryCapOf(program.program));
    const kept = job.reuse ? live.get(job.program) : undefined;
    if (kept !== undefined) Object.assign(kept.guest.context, context);
    let current = kept;
    let ending: Ending;
    try {
      current ??= {
        guest: createGuest(program, context, budget),
        instanceId: `${name}-${++instances}`,
        uses: 0,
      };
      ending = enter(program.program, current.guest, job);
    } catch (error) {
      ending = context.exitCode === undefined ? startEnding(error) : commandEnding(context.exitCode);
    }
    budget.end();
    const well = ending.kind === 'completed' && current?.guest.context.exitCode === undefined;
    if (job.reuse) keep(program.program, well ? current : undefined);
    const { user, system } = process.threadCpuUsage(before);
    const memoryUse = current === undefined ? {} : { peakMemoryBytes: current.guest.memory().used };
    if (current !== undefined && live.get(job.program) !== current) current.guest.close();
    return {
      ...ending,
      instanceId: current?.instanceId ?? '',
      resourceUse: { cpuTimeUs: user + system, ...memoryUse },
    };
  }

  function enter(program: Program, guest: Guest, job: Job): Ending {
    if (job.functionName === '') return enterCommand(guest);
    const fn = findFunction(program.functions, job.functionName);
    const parameters = decodeParameters(fn, job.parameters);
    let value: unknown;
    try {
      budget.renew();
      value = guest.call(fn, parameters);
    } catch (error) {
      return thrownEnding(guest, fn, error);
    }
    return guest.context.exitCode === undefined
      ? valueEnding(fn, value)
      : commandEnding(guest.context.exitCode);
  }

  function enterCommand(guest: Guest): Ending {
    try {
      guest.runCommand();
    } catch (error) {
      return thrownEnding(guest, undefined, error);
    }
    return commandEnding(guest.context.exitCode ?? 0);
  }

  function keep({ key, warm }: Program, entry: LiveGuest | undefined): void {
    if (entry !== undefined) entry.uses += 1;
    if (entry !== undefined && (warm.maxUses === undefined || entry.uses < warm.maxUses))
      live.keep(key, entry);
    else if (live.drop(key)) notify({ program: key, state: 'spent' });
  }

  function contextOf(
    program: Program,
    { input, args, environment }: Pick<Job, 'input' | 'args' | 'environment'>,
    write: RunContext['write'],
  ): RunContext {
    return {
      input,
      inputAt: 0,
      args: [program.name, ...program.args, ...args],
      environment: Object.entries({ ...program.environment, ...environment }),
      write,
      exitCode: undefined,
    };
  }

  function notify(notice: Notice): void {
    writer.write(recordKind.notice, 0, Buffer.from(`${JSON.stringify(notice)}\n`));
  }

  function reply(slot: number, outcome: AttemptOutcome): void {
    const text = Buffer.from(JSON.stringify(outcome));
    const last = Math.max(0, text.length - maxRecordBytes);
    writer.write(recordKind.replyPart, slot, text.subarray(0, last));
    writer.write(recordKind.replyEnd, slot, text.subarray(last));
  }

  return { handle };
}

async function isWhole({ url, sha256 }: SourceFile): Promise<boolean> {
  try {
    return hash('sha256', await readFile(new URL(url)), 'hex') === sha256;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
