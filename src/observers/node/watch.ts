import type { ExecutionRecord } from '../../domain/execution.ts';
import type { DeletedExecution, NodeNews, NodeStatus, NodeWatch } from '../../domain/node-feed.ts';
import { type Scope, scopeKey, sees, seesTask } from '../../domain/scope.ts';

/** What the feed reads of the store. */
export interface FeedStore {
  changedSince(position: number, limit: number): Promise<string[] | undefined>;
  execution(executionId: string): Promise<ExecutionRecord | undefined>;
}

interface WatchOptions {
  /** The last position that it knows; 0 means from now on. */
  readonly from: number;
  /** The last position there was when it began, … */
  readonly position: number;
  /** … and the one up to which everything can be told: members of a batch may be written behind it. */
  readonly told: number;
  /** Other nodes write, too, each by positions of its own: one position does not say what was seen of theirs. */
  readonly isShared: boolean;
  readonly scope: Scope;
  readonly store: FeedStore;
  readonly status: () => Promise<NodeStatus>;
  readonly closed: () => void;
}

/** Parts of logs that are looked at for one who comes back, … */
const mostParts = 5000;
/** … and executions that are told to it, or wait for one who is slow. Beyond, a list is cheaper. */
const mostBehind = 1000;

/** Of what happened what is in a scope; undefined where that is nothing. */
export function newsFor(
  scope: Scope,
  all: Pick<NodeNews, 'position' | 'executions' | 'reset'> & {
    readonly deleted: readonly DeletedExecution[];
  },
  node: NodeStatus | undefined,
): NodeNews | undefined {
  const executions = all.executions.filter((record) => sees(scope, record));
  const deleted = all.deleted.filter((each) => sawDeleted(scope, each)).map(({ executionId }) => executionId);
  const { position, reset } = all;
  if (executions.length === 0 && deleted.length === 0 && node === undefined && !reset) return undefined;
  return { position, executions, deleted, ...(node !== undefined && { node }), reset };
}

/** Of one whose record was damaged only those hear who see everything: no list had it. */
function sawDeleted(scope: Scope, { tenant, taskName, executionId: _id }: DeletedExecution): boolean {
  if (taskName === undefined) return scope.tenant === undefined;
  return seesTask(scope, { ...(tenant !== undefined && { tenant }) }, taskName);
}

/** One who follows the node, at its own pace: what it has not taken is gathered, each execution once. */
export class Watch implements NodeWatch {
  /** The same for all that see the same. */
  readonly key: string;
  readonly #options: WatchOptions;
  #begun = false;
  /** What it was told and has not taken; a piece of news that all others have too where that is all of it. */
  #waiting: NodeNews | undefined;
  readonly #gathered = new Map<string, ExecutionRecord>();
  readonly #deleted = new Set<string>();
  #wake: PromiseWithResolvers<void> | undefined;
  #failure: Error | undefined;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.key = scopeKey(options.scope);
  }

  get scope(): Scope {
    return this.#options.scope;
  }

  /** News for everyone who watches. */
  take(news: NodeNews): void {
    const waiting = this.#waiting;
    if (waiting === undefined) this.#waiting = news;
    else this.#merge(waiting, news);
    this.#wake?.resolve();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#wake?.resolve();
    this.close();
  }

  async next(): Promise<NodeNews | undefined> {
    if (!this.#begun) {
      this.#begun = true;
      return this.#first();
    }
    while (this.#waiting === undefined && !this.#closed) {
      this.#wake = Promise.withResolvers();
      await this.#wake.promise;
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#closed) return undefined;
    const news = this.#waiting;
    this.#waiting = undefined;
    this.#drop();
    return news;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#drop();
    this.#options.closed();
    this.#wake?.resolve();
  }

  #merge(waiting: NodeNews, news: NodeNews): void {
    if (this.#gathered.size + this.#deleted.size === 0) this.#gather(waiting);
    this.#gather(news);
    const reset = waiting.reset || news.reset || this.#gathered.size + this.#deleted.size > mostBehind;
    if (reset) this.#drop();
    const node = news.node ?? waiting.node;
    this.#waiting = {
      position: news.position,
      executions: [...this.#gathered.values()],
      deleted: [...this.#deleted],
      ...(node !== undefined && { node }),
      reset,
    };
  }

  #gather({ executions, deleted }: NodeNews): void {
    for (const record of executions) {
      this.#deleted.delete(record.executionId);
      this.#gathered.set(record.executionId, record);
    }
    for (const executionId of deleted) {
      this.#gathered.delete(executionId);
      this.#deleted.add(executionId);
    }
  }

  #drop(): void {
    this.#gathered.clear();
    this.#deleted.clear();
  }

  /** What has changed since it was here last, as that is now. */
  async #first(): Promise<NodeNews> {
    const { from, told, status } = this.#options;
    const node = await status();
    const records = from === 0 ? [] : await this.#since(from);
    return { position: told, executions: records ?? [], deleted: [], node, reset: records === undefined };
  }

  async #since(from: number): Promise<ExecutionRecord[] | undefined> {
    const { store, position, scope, isShared } = this.#options;
    if (isShared) return undefined;
    // The positions of another folder.
    if (from > position) return undefined;
    if (from === position) return [];
    const ids = await store.changedSince(from + 1, mostParts);
    if (ids === undefined || ids.length > mostBehind) return undefined;
    const records: ExecutionRecord[] = [];
    for (const id of ids) {
      const record = await store.execution(id);
      if (record !== undefined && sees(scope, record)) records.push(record);
    }
    return records;
  }
}
