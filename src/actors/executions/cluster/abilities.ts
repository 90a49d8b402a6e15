/**
 * Which tasks this node cannot run although it has their runtime: their program, image or secrets are not here, or
 * something else that their registration asked for. Each is looked at when it is registered, and when the node is given an execution of
 * it; those that cannot run are looked at again, as what they lack may come.
 */
import type { Clock, Timer } from '../../../domain/clock.ts';
import { RequestError } from '../../../domain/errors.ts';
import { LruMap } from '../../../domain/lru-map.ts';
import { artifactPlacement, type Lack, placedOf } from '../../../domain/placement.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { RuntimeKind, Task, TaskDefinition } from '../../../domain/task.ts';
import type { TaskDraft } from '../../../domain/tasks.ts';
import { LaunchError, type Runtime, type SecretSource } from '../../../runtimes/runtime.ts';

export interface AbilitiesHost {
  /** Its time is one that nobody sets. */
  readonly time: Clock;
  readonly runtimes: ReadonlyMap<RuntimeKind, Runtime>;
  readonly secrets: SecretSource;
  taskRevision(taskId: string, revision: number): Promise<Task | undefined>;
  /** This node lacks something of that task, or, with undefined, does not any more. */
  changed(key: string, lack: Lack | undefined): void;
}

/** Tasks that are remembered; of those that cannot run, as many are told. */
const mostKnown = 1000;
/** Those that lacked something are looked at again so often, … */
const againMs = 5000;
/** … so many at a time. */
const againAtOnce = 32;
/** What other nodes are told of why. */
const mostWords = 200;

const ofRuntime: ReadonlySet<string> = new Set(['RUNTIME_UNAVAILABLE', 'HOST_ACCESS_NOT_ALLOWED']);

export class Abilities {
  readonly #host: AbilitiesHost;
  readonly #lacks = new Map<string, Lack>();
  readonly #fetching = new Map<string, AbortController>();
  readonly #has = new LruMap<string, true>(mostKnown);
  /** One after the other: a look asks the disk or the engine. */
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | undefined;
  #closed = false;

  constructor(host: AbilitiesHost) {
    this.#host = host;
  }

  /** By tasks as placements name them. */
  get lacks(): Readonly<Record<string, Lack>> {
    return Object.fromEntries(this.#lacks);
  }

  /** A task is new here, or may be different. */
  registered(task: Task): void {
    const key = artifactPlacement(task);
    if (key !== undefined) this.#look(key, task).catch(() => {});
  }

  /** Whether it can be run here; looks where that is not known. Rejects with what the store rejects with. */
  async canRun(placement: string | undefined): Promise<boolean> {
    const key = placement === undefined ? undefined : placedOf(placement)?.task;
    if (key === undefined || this.#has.get(key) === true) return true;
    if (this.#lacks.has(key)) return false;
    return (await this.#look(key)) === undefined;
  }

  /** Others that have its image are busy: fetches it, where it may. */
  fetch(key: string): void {
    if (this.#closed || this.#lacks.get(key)?.mayFetch !== true) return;
    this.#fetch(key).catch(() => {});
  }

  /** An attempt has not found what it was to run. */
  forget(task: Task): void {
    const key = artifactPlacement(task);
    if (key === undefined) return;
    this.#has.delete(key);
    this.registered(task);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const fetching of this.#fetching.values()) fetching.abort();
  }

  async #fetch(key: string): Promise<void> {
    const task = await this.#taskOf(key);
    const runtime = task && this.#host.runtimes.get(task.definition.runtime);
    if (runtime === undefined || task === undefined || this.#fetching.has(key)) return;
    const { artifact } = task.definition;
    if (artifact.kind !== 'docker') return;
    const fetching = new AbortController();
    this.#fetching.set(key, fetching);
    this.#note(key, { why: `is fetching the image ${artifact.image}`.slice(0, mostWords) });
    const { signal } = fetching;
    const tenant = tenantOf(task);
    const failure = await runtime
      .resolve(draftOf(task.definition), { tenant, signal, progress: () => {} })
      .then(() => undefined, said);
    this.#fetching.delete(key);
    if (failure === undefined) await this.#look(key, task);
    else {
      const words = `does not have the image ${artifact.image}, and could not fetch it: ${failure}`;
      this.#note(key, { why: words.slice(0, mostWords).toWellFormed(), mayFetch: true });
    }
  }

  #look(key: string, known?: Task): Promise<Lack | undefined> {
    const looking = this.#last.then(async () => {
      const before = this.#lacks.get(key);
      if (this.#fetching.has(key)) return before;
      const task = known ?? (await this.#taskOf(key));
      const found = task === undefined ? undefined : await this.#why(task);
      // What came of fetching it says more.
      const lack = found?.mayFetch === true && before?.mayFetch === true ? before : found;
      this.#note(key, lack);
      return lack;
    });
    this.#last = looking.catch(() => {});
    return looking;
  }

  async #taskOf(key: string): Promise<Task | undefined> {
    const at = key.lastIndexOf('@');
    return this.#host.taskRevision(key.slice(0, at), Number(key.slice(at + 1)));
  }

  async #why({ definition, ...owned }: Task): Promise<Lack | undefined> {
    const runtime = this.#host.runtimes.get(definition.runtime);
    // Whoever has no such runtime says so.
    if (runtime === undefined) return undefined;
    const signal = AbortSignal.timeout(10_000);
    const tenant = tenantOf(owned);
    try {
      if (definition.artifact.kind === 'process') {
        await runtime.resolve(draftOf(definition), { tenant, signal, progress: () => {} });
      }
      await runtime.prepare(definition, tenant);
      await this.#host.secrets.read(definition, tenant);
      return undefined;
    } catch (error) {
      return whyNot(definition, error);
    }
  }

  #note(key: string, lack: Lack | undefined): void {
    if (this.#closed) return;
    if (lack === undefined) {
      this.#has.set(key, true);
      if (this.#lacks.delete(key)) this.#host.changed(key, undefined);
      return;
    }
    this.#has.delete(key);
    const before = this.#lacks.get(key);
    // The newest are the last: those go first that have been known for longest.
    this.#lacks.delete(key);
    this.#lacks.set(key, lack);
    const [oldest] = this.#lacks.keys();
    if (this.#lacks.size > mostKnown && oldest !== undefined) this.#lacks.delete(oldest);
    if (before?.why !== lack.why) this.#host.changed(key, lack);
    this.#timer ??= this.#host.time.setTimer(againMs, () => void this.#lookAgain());
  }

  async #lookAgain(): Promise<void> {
    const keys = [...this.#lacks.keys()].slice(0, againAtOnce);
    // A store or a disk that does not answer is asked again the next time.
    await Promise.allSettled(keys.map((key) => this.#look(key)));
    this.#timer = undefined;
    if (this.#closed || this.#lacks.size === 0) return;
    this.#timer = this.#host.time.setTimer(againMs, () => void this.#lookAgain());
  }
}

/** What was registered, to be found again. */
function draftOf({ artifact, ...rest }: TaskDefinition): TaskDraft {
  if (artifact.kind === 'process') {
    return { ...rest, source: { kind: 'path', path: artifact.path }, sha256: artifact.sha256 };
  }
  if (artifact.kind === 'docker') {
    return { ...rest, source: { kind: 'image', image: artifact.image }, sha256: artifact.imageId };
  }
  throw new TypeError('every node has the artifacts of wasm tasks');
}

function said(error: unknown): string {
  const violation = error instanceof RequestError ? error.violations[0] : undefined;
  return violation?.description ?? (error instanceof Error ? error.message : String(error));
}

function whyNot({ runtime, artifact, container }: TaskDefinition, error: unknown): Lack {
  if (error instanceof LaunchError) {
    // Where a secret was looked for is the node's own affair.
    return {
      why: `lacks what its instances are given: ${error.message.split(':', 1)[0]}`.slice(0, mostWords),
    };
  }
  if (error instanceof RequestError && ofRuntime.has(error.reason)) {
    return { why: `cannot run ${runtime} tasks now` };
  }
  const field = error instanceof RequestError ? (error.violations[0]?.field ?? '') : '';
  const words = (text: string): Lack => ({ why: text.slice(0, mostWords).toWellFormed() });
  if (artifact.kind === 'process' && field.startsWith('definition.artifact')) {
    return field.endsWith('sha256')
      ? words(`has another program at ${artifact.path}`)
      : words(`does not have the program ${artifact.path}: ${said(error)}`);
  }
  if (artifact.kind === 'docker' && field.startsWith('definition.artifact')) {
    const lack = words(`does not have the image ${artifact.image}`);
    return container?.pull === 'never' ? lack : { ...lack, mayFetch: true };
  }
  return words(`cannot run it: ${said(error)}`);
}
