import { decodeParameters } from '../../../domain/wit/decode.ts';
import { findFunction } from '../../../domain/wit/lookup.ts';
import type { AttemptOutcome } from '../../runtime.ts';
import { recordKind } from '../hosts/channel.ts';
import type {
  HostMessage,
  Job,
  LoadableProgram,
  NetworkRules,
  Notice,
  ProgramFacts,
} from '../hosts/protocol.ts';
import type { Channel, Received } from './channel.ts';
import { commandEnding, type Ending, startEnding, thrownEnding, valueEnding } from './ending.ts';
import { createGuest, type Guest, type LoadedProgram, loadProgram, memoryCapOf } from './guest.ts';
import type { RunContext } from './host/context.ts';
import { guardCopies, LiftBudget } from './lift-budget.ts';
import { type LiveGuest, LiveGuests } from './live-guests.ts';
import { NextGuest } from './next-guest.ts';

interface ExecutorOptions {
  /** Of the host. */
  readonly name: string;
  readonly channel: Channel;
  /** See `CodeMessage`. */
  readonly guards: string;
}

/** Runs jobs one at a time and writes output and replies to the channel. */
export function createExecutor({ name, channel, guards }: ExecutorOptions) {
  const programs = new Map<number, LoadableProgram>();
  const loaded = new Map<number, LoadedProgram>();
  const live = new LiveGuests();
  const budget = new LiftBudget();
  const next = new NextGuest(budget);
  let instances = 0;
  let rules: NetworkRules | undefined;
  guardCopies(budget);

  async function handle({ message, attachment }: Received): Promise<void> {
    if (message.kind === 'job') return run(message.job, attachment);
    if (message.kind === 'program') return take(message, attachment);
    if (message.kind === 'prepare') return prepare(message.program, message.live);
    if (message.kind === 'network') {
      rules = message.rules;
      return;
    }
    programs.delete(message.program);
    loaded.delete(message.program);
    live.dismiss(message.program);
    next.forget(message.program);
  }

  function take(message: Extract<HostMessage, { kind: 'program' }>, attachment: Uint8Array): void {
    let at = 0;
    const [source = new Uint8Array(), ...cores] = message.lengths.map((length) => {
      at += length;
      return attachment.subarray(at - length, at);
    });
    programs.set(message.program.key, {
      ...message.program,
      source: Buffer.from(source).toString('utf8'),
      cores: message.cores.map((core, index) => ({ ...core, bytes: cores[index] ?? new Uint8Array() })),
    });
  }

  async function run(job: Job, input: Uint8Array): Promise<void> {
    const found = loaded.get(job.program) ?? (await load(job.program));
    if (job.timed) {
      const { user, system } = process.cpuUsage();
      channel.send(recordKind.begun, job.ticket, String(user + system));
      channel.flush();
    }
    const outcome: AttemptOutcome =
      'program' in found ? execute(found, job, input) : { ...found, instanceId: '', resourceUse: {} };
    channel.send(recordKind.reply, job.ticket, JSON.stringify(outcome));
  }

  async function prepare(key: number, alive: boolean): Promise<void> {
    const found = loaded.get(key) ?? (await load(key));
    const failure = 'program' in found ? alive && startAhead(found) : found;
    if (failure && 'message' in failure) notify({ program: key, state: 'failed', reason: failure.message });
    else notify({ program: key, state: 'ready' });
  }

  /** Makes an instance that nobody has asked for yet: what it writes while it starts goes nowhere. */
  function startAhead(found: LoadedProgram): Ending | undefined {
    const { program } = found;
    const { key } = program;
    live.await(key);
    if (live.get(key) !== undefined) return undefined;
    const context = contextOf(program, { args: [], environment: {} }, new Uint8Array(), () => {});
    budget.begin(memoryCapOf(found));
    connect(found, 0);
    try {
      const guest = createGuest(found, context, budget);
      if (context.exitCode !== undefined) {
        guest.close();
        throw new Error(`exit ${context.exitCode}`);
      }
      live.keep(key, { guest, instanceId: `${name}-${++instances}`, secrets: '', uses: 0 });
      return undefined;
    } catch (error) {
      return startEnding(error);
    } finally {
      budget.end();
      disconnect(found);
    }
  }

  async function load(key: number): Promise<LoadedProgram | Ending> {
    // That takes long, and nobody is to wait for it who has ended.
    channel.flush();
    const program = programs.get(key);
    if (program === undefined) return startEnding(new Error(`the host was not given program ${key}`));
    try {
      const entry = await loadProgram(program, guards);
      loaded.set(key, entry);
      // Compiled, it is not needed as bytes again.
      programs.delete(key);
      return entry;
    } catch (error) {
      return startEnding(error);
    }
  }

  function execute(program: LoadedProgram, job: Job, input: Uint8Array): AttemptOutcome {
    const before = process.threadCpuUsage();
    const write: RunContext['write'] = (stream, bytes) => channel.output(stream, job.ticket, bytes);
    const context = contextOf(program.program, job, input, write);
    budget.begin(memoryCapOf(program));
    const found = job.reuse ? live.get(job.program) : undefined;
    // What it has read of its environment stays in its memory.
    if (found !== undefined && found.secrets !== job.secrets) live.drop(job.program);
    const kept = found?.secrets === job.secrets ? found : undefined;
    if (kept !== undefined) Object.assign(kept.guest.context, context);
    let current = kept;
    let ending: Ending;
    connect(program, job.ticket);
    try {
      current ??= {
        guest: (job.reuse ? undefined : next.take(program, context)) ?? createGuest(program, context, budget),
        instanceId: `${name}-${++instances}`,
        secrets: job.secrets,
        uses: 0,
      };
      ending = enter(program.program, current.guest, job);
    } catch (error) {
      ending = context.exitCode === undefined ? startEnding(error) : commandEnding(context.exitCode);
    }
    budget.end();
    disconnect(program);
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

  /** What is refused is told as the job's. */
  function connect(program: LoadedProgram, ticket: number): void {
    if (program.kind !== 'component' || rules === undefined) return;
    program.host.connect(rules, { socket: channel.socket, ticket });
  }

  function disconnect(program: LoadedProgram): void {
    if (program.kind === 'component' && !program.host.disconnect()) {
      notify({ program: program.program.key, state: 'worn' });
    }
  }

  function enter(program: ProgramFacts, guest: Guest, job: Job): Ending {
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

  function keep({ key, warm }: ProgramFacts, entry: LiveGuest | undefined): void {
    if (entry !== undefined) entry.uses += 1;
    if (entry !== undefined && (warm.maxUses === undefined || entry.uses < warm.maxUses))
      live.keep(key, entry);
    else if (live.drop(key)) notify({ program: key, state: 'spent' });
  }

  function contextOf(
    program: ProgramFacts,
    { args, environment }: Pick<Job, 'args' | 'environment'>,
    input: Uint8Array,
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
    channel.send(recordKind.notice, 0, JSON.stringify(notice));
  }

  return {
    handle,
    /** Makes the next instance; to be called while there is nothing else to do. */
    instantiateAhead: () => next.make(),
  };
}
