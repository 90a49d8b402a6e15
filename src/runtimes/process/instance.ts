import type { Clock } from '../../domain/clock.ts';
import type { ResourceUse } from '../../domain/execution.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { Cell } from '../containment/cell.ts';
import type { Child, ChildExit } from '../containment/child.ts';
import { ComputeWatch } from '../containment/compute-watch.ts';
import { readExit } from '../containment/exit-report.ts';
import { SocketWatch } from '../containment/socket-watch.ts';
import type { Attempt, AttemptIo, AttemptOutcome, Instance } from '../runtime.ts';
import { CpuWatch } from './cpu-watch.ts';
import { type Exit, endingOf, type KillCause } from './ending.ts';
import { OutputPump } from './output-pump.ts';
import { startFailure } from './start-failure.ts';

/** What an instance is made of, and gives back at its end. */
export interface InstanceParts {
  readonly instanceId: string;
  readonly task: TaskDefinition;
  readonly child: Child;
  readonly cell: Cell;
  readonly clock: Clock;
  /** Its own; absent where the task names a working directory. `bytes` is what may be written there. */
  readonly folder?: { readonly bytes: number; isFull(): boolean };
  /** Gives the parts back. `empty` is whether nothing is left in the cell. */
  release(empty: boolean): Promise<void>;
}

/** How it ended, before its output was taken. */
interface End {
  readonly exit: Exit;
  readonly resourceUse: ResourceUse;
  readonly empty: boolean;
}

/** For how long what was killed is waited for, in milliseconds; less than the supervisor waits. */
const confirmMs = 8_000;
const longestPauseMs = 50;

/** One started program, from its start to when nothing of it is left. */
export class ProcessInstance implements Instance {
  readonly spoiled: Promise<string>;
  readonly gone: Promise<void>;
  readonly #parts: InstanceParts;
  readonly #output: readonly OutputPump[];
  readonly #cpuWatch: CpuWatch;
  readonly #socketWatch: SocketWatch;
  readonly #computeWatch: ComputeWatch;
  readonly #ended: Promise<End>;
  #spoil: (why: string) => void;
  #cause: KillCause | undefined;
  #rung = '';
  #exited = false;

  constructor(parts: InstanceParts) {
    this.#parts = parts;
    const spoiled = Promise.withResolvers<string>();
    this.spoiled = spoiled.promise;
    this.#spoil = spoiled.resolve;
    const { child } = parts;
    const early = () => this.#spoil('the program wrote before it was given its input');
    this.#output = [
      new OutputPump(child.stdout, 'stdout', early),
      new OutputPump(child.stderr, 'stderr', early),
    ];
    // A program need not read its input; what it did is told by how it ends.
    child.stdin.on('error', () => {});
    this.#cpuWatch = new CpuWatch(parts.cell, parts.task.limits, parts.clock, () => this.#end('spent'));
    const { cell } = parts;
    this.#socketWatch = new SocketWatch(
      parts.clock,
      () => cell.socketsExceedMemory(),
      () => this.#end('sockets'),
    );
    this.#computeWatch = new ComputeWatch({
      clock: parts.clock,
      cpuTimeUs: () => cell.cpuTimeUs(),
      setBackground: (background) => cell.setBackground(background),
    });
    this.#computeWatch.begin();
    this.#ended = child.exited.then((exit) => this.#finish(exit));
    this.gone = this.#ended.then(({ empty }) => parts.release(empty));
  }

  async serve(attempt: Attempt, io: AttemptIo, signal: AbortSignal): Promise<AttemptOutcome> {
    const { child, instanceId, task, clock } = this.#parts;
    this.#spoil = () => {};
    if (signal.aborted) {
      const confirmed = await this.discard();
      const facts = { instanceId, resourceUse: {}, ...(!confirmed && { remains: true as const }) };
      return { kind: 'stopped', rung: 'cooperative', ...facts };
    }
    this.#computeWatch.begin();
    for (const pump of this.#output) pump.open(io);
    child.stdin.end(attempt.invocation.input);
    const onAbort = () => this.#stop();
    signal.addEventListener('abort', onAbort, { once: true });
    const { exit, resourceUse, empty } = await this.#ended;
    signal.removeEventListener('abort', onAbort);
    await Promise.all(this.#output.map((pump) => pump.finish(clock)));
    const facts = { instanceId, resourceUse, ...(!empty && { remains: true as const }) };
    return { ...endingOf(exit, task.limits), ...facts };
  }

  async discard(): Promise<boolean> {
    this.#spoil = () => {};
    for (const pump of this.#output) pump.drop();
    this.#end('discarded');
    const { empty } = await this.#ended;
    return empty;
  }

  /** Ends it because the node stops: what it was serving is lost. */
  async close(): Promise<void> {
    this.#end('closed');
    await this.#ended;
  }

  /** Asks it to stop, and ends it where it has not after its grace. */
  #stop(): void {
    const { child, clock, task } = this.#parts;
    if (this.#exited || this.#cause !== undefined) return;
    this.#cause = 'stopped';
    this.#rung = 'term';
    child.signal('SIGTERM');
    const grace = clock.setTimer(task.graceMs, () => {
      if (this.#exited) return;
      this.#rung = 'kill';
      this.#kill();
    });
    void this.#ended.then(() => grace.cancel());
  }

  #end(cause: KillCause): void {
    if (this.#exited) return;
    // What asks it to stop stays the reason, whatever ends it.
    this.#cause ??= cause;
    this.#rung = 'kill';
    this.#kill();
  }

  #kill(): void {
    this.#parts.cell.kill();
    // Before the launcher has joined its cell, the cell has nothing to kill.
    if (!this.#parts.cell.nested) this.#parts.child.signal('SIGKILL');
  }

  async #finish(childExit: ChildExit): Promise<End> {
    const { failed, lost } = childExit;
    const { cell, child, task, folder } = this.#parts;
    this.#exited = true;
    this.#cpuWatch.stop();
    this.#socketWatch.stop();
    this.#computeWatch.stop();
    this.#spoil(
      failed === undefined ? 'the program ended before it was given its input' : startFailure(failed),
    );
    child.stdin.destroy();
    if (lost) {
      this.#cause ??= 'lost';
      this.#kill();
    }
    const empty = cell.isEmpty() || (await this.#emptied());
    const resourceUse = cell.resourceUse();
    const exit: Exit = {
      ...readExit(childExit),
      cause: this.#cause,
      rung: this.#rung,
      directory: task.workingDirectory,
      ...(failed !== undefined && { failure: startFailure(failed) }),
      ...(folder?.isFull() && { fullFolder: folder.bytes }),
      ranOutOfMemory: cell.ranOutOfMemory(),
      cpuTimeUs: resourceUse.cpuTimeUs,
    };
    return { exit, resourceUse, empty };
  }

  /** Kills what the program has left behind. Resolves with whether all of it is gone. */
  async #emptied(): Promise<boolean> {
    const { cell, clock } = this.#parts;
    const start = clock.monotonic();
    for (let pause = 1; clock.monotonic() - start < confirmMs; pause = Math.min(longestPauseMs, pause * 2)) {
      cell.kill();
      if (cell.isEmpty()) return true;
      const { promise, resolve } = Promise.withResolvers<void>();
      clock.setTimer(pause, resolve);
      await promise;
    }
    return cell.isEmpty();
  }
}
