import { decodeParameters } from '../../domain/wit/decode.ts';
import { findFunction } from '../../domain/wit/lookup.ts';
import type { AttemptOutcome } from '../runtime.ts';
import { commandEnding, type Ending, startEnding, thrownEnding, valueEnding } from './ending.ts';
import { createGuest, type Guest, type LoadedProgram, memoryCapOf } from './guest.ts';
import type { RunContext } from './host/context.ts';
import { importsFor } from './host/imports.ts';
import { guardCopies, LiftBudget } from './lift-budget.ts';
import {
  type Batch,
  claim,
  claimWord,
  type Job,
  type Program,
  recordKind,
  type WorkerData,
} from './protocol.ts';
import { maxRecordBytes, RingWriter } from './ring.ts';

/** Live instances of reused tasks that a worker keeps; each holds memory up to its task's limit. */
const maxLiveGuests = 8;

interface LiveGuest {
  readonly guest: Guest;
  readonly instanceId: string;
}

/** Runs jobs one at a time on this thread and writes output and replies to the thread's ring. */
export function createExecutor({ name, memory }: WorkerData, ring: () => void) {
  const writer = new RingWriter(memory.ring, ring);
  const programs = new Map<number, Program>();
  const loaded = new Map<number, LoadedProgram>();
  const live = new Map<number, LiveGuest>();
  const budget = new LiftBudget();
  let instances = 0;
  guardCopies(budget);

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

  async function load(key: number): Promise<LoadedProgram | Ending> {
    const program = programs.get(key);
    if (program === undefined) return startEnding(new Error(`the worker was not given program ${key}`));
    try {
      const source = await import(program.source);
      const entry = { program, instantiate: source.instantiate, imports: await importsFor(program) };
      loaded.set(key, entry);
      return entry;
    } catch (error) {
      return startEnding(error);
    }
  }

  function execute(program: LoadedProgram, job: Job): AttemptOutcome {
    const before = process.threadCpuUsage();
    const context = contextOf(program.program, job);
    budget.begin(memoryCapOf(program.program));
    const kept = job.reuse ? live.get(job.program) : undefined;
    if (kept !== undefined) Object.assign(kept.guest.context, context);
    let current = kept;
    let ending: Ending;
    try {
      current ??= { guest: createGuest(program, context, budget), instanceId: `${name}-${++instances}` };
      ending = enter(program.program, current.guest, job);
    } catch (error) {
      ending = context.exitCode === undefined ? startEnding(error) : commandEnding(context.exitCode);
    }
    budget.end();
    const well = ending.kind === 'completed' && current?.guest.context.exitCode === undefined;
    if (job.reuse) keep(job.program, well ? current : undefined);
    const { user, system } = process.threadCpuUsage(before);
    const memoryUse = current === undefined ? {} : { peakMemoryBytes: current.guest.memory().used };
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

  function keep(key: number, entry: LiveGuest | undefined): void {
    live.delete(key);
    if (entry === undefined) return;
    live.set(key, entry);
    const [oldest] = live.keys();
    if (live.size > maxLiveGuests && oldest !== undefined) live.delete(oldest);
  }

  function contextOf(program: Program, job: Job): RunContext {
    return {
      input: job.input,
      inputAt: 0,
      args: [program.name, ...program.args, ...job.args],
      environment: Object.entries({ ...program.environment, ...job.environment }),
      write: (stream, bytes) => writer.write(recordKind[stream], job.slot, bytes),
      exitCode: undefined,
    };
  }

  function reply(slot: number, outcome: AttemptOutcome): void {
    const text = Buffer.from(JSON.stringify(outcome));
    const last = Math.max(0, text.length - maxRecordBytes);
    writer.write(recordKind.replyPart, slot, text.subarray(0, last));
    writer.write(recordKind.replyEnd, slot, text.subarray(last));
  }

  return { run };
}
