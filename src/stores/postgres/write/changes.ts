import type { Quota } from '../../../domain/quota.ts';
import type { TaskAlias } from '../../../domain/revisions/alias.ts';
import { tenantOf } from '../../../domain/scope.ts';
import type { SideRowChange } from '../../../domain/side-row.ts';
import type { Task } from '../../../domain/task.ts';
import { revisionsOf } from '../../sqlite/read/aliases.ts';
import { ChangedMeanwhile, type OrderChanges, type StoredOrder, type StoredQuota } from '../../store.ts';
import type { Readers } from '../engine/readers.ts';
import type { Row, Session } from '../engine/session.ts';
import type { TaskRevision } from '../read/tasks.ts';
import { plainArray, restored, textArray } from './parameters.ts';
import { rowArrays } from './row-arrays.ts';

/** Stands for the buckets without a row. */
const others = '';

/** Every write but commits, on a session of its own: none of them holds up a commit. Each may run twice. */
export class Changes {
  readonly #session: Session;
  readonly #readers: Readers;
  readonly #me: number;

  constructor(session: Session, readers: Readers, me: number) {
    this.#session = session;
    this.#readers = readers;
    this.#me = me;
  }

  /** Calls a function of the schema, whose first argument is this writer. Rejects with StoreError or Fenced. */
  async call(what: string, name: string, values: readonly unknown[]): Promise<unknown> {
    const places = ['$1', ...values.map((_, index) => `$${index + 2}`)].join(', ');
    const statement = { text: `SELECT ${name}(${places}) AS answer`, values: [this.#me, ...values] };
    const [row] = await this.#session.read(what, statement);
    return row?.answer;
  }

  async saveTask(task: Task, before?: Pick<Task, 'taskId' | 'revision'> | null): Promise<void> {
    const values = [...taskValues(task), task.definition.name];
    if (before === undefined) await this.call('cannot save a task', 'save_task', values);
    else {
      values.push(before?.taskId ?? null, before?.revision ?? null);
      const saved = await this.call('cannot save a task', 'save_task_after', values);
      if (saved !== true) throw new ChangedMeanwhile(`${task.definition.name} was changed by another node`);
    }
  }

  async saveRevision(task: Task): Promise<void> {
    await this.call('cannot save a task', 'save_revision', taskValues(task));
  }

  async deleteTask(taskId: string): Promise<void> {
    await this.call('cannot delete a task', 'delete_task', [taskId]);
  }

  /** Only one that no execution uses, and that is not the newest, or, where it is to be spare, that nobody wants. */
  async deleteRevision({ taskId, revision }: TaskRevision, isSpare: boolean): Promise<boolean> {
    const values = [taskId, revision, isSpare];
    return (await this.call('cannot delete a revision', 'delete_revision', values)) === true;
  }

  async saveAlias(taskId: string, name: string, alias: TaskAlias | undefined): Promise<void> {
    const content = alias === undefined ? null : JSON.stringify(alias);
    const revisions = alias === undefined ? [] : [...revisionsOf(alias)];
    const values = [taskId, name, content, plainArray(revisions)];
    await this.call('cannot save an alias', 'save_alias', values);
  }

  async saveRows(changes: readonly SideRowChange[]): Promise<void> {
    await this.call('cannot save rows', 'save_rows', rowArrays(changes));
  }

  async saveQuota(tenant: string, quota: Quota | undefined): Promise<void> {
    const content = quota === undefined ? null : JSON.stringify(quota);
    await this.call('cannot save a quota', 'save_quota', [tenant, content]);
  }

  async quotas(): Promise<StoredQuota[]> {
    const rows = await this.#readers.read(
      'cannot read the quotas',
      'SELECT tenant, quota FROM quotas ORDER BY tenant',
    );
    return rows.map(({ tenant, quota }) => ({
      tenant: String(tenant),
      quota: JSON.parse(String(quota)) as Quota,
    }));
  }

  async saveOrder({ nodes = [], forgotten = [], emptyAt, fullBefore }: OrderChanges): Promise<number> {
    const forgottenPaths = textArray(forgotten.map((path) => JSON.stringify(path)));
    const paths = textArray(nodes.map(({ path }) => JSON.stringify(path)));
    const uses = textArray(
      nodes.map(({ used, reached, most, ready, since }) =>
        JSON.stringify([used, reached, most, ready, since]),
      ),
    );
    const values = [forgottenPaths, paths, uses, emptyAt ?? null, fullBefore ?? null];
    return Number(await this.call('cannot save the order of runs', 'save_order', values));
  }

  async order(): Promise<StoredOrder> {
    const what = 'cannot read the order of runs';
    const nodes = await this.#readers.read(what, 'SELECT node, use FROM order_nodes');
    const rates = await this.#readers.read(what, 'SELECT meter, full_at FROM rates');
    const rest = rates.find(({ meter }) => meter === others);
    return {
      nodes: nodes.map(nodeOf),
      meters: rates
        .filter(({ meter }) => meter !== others)
        .map(({ meter, full_at }) => ({ meter: restored(String(meter)), fullAt: Number(full_at) })),
      ...(rest !== undefined && { emptyAt: Number(rest.full_at) }),
      isWhole: true,
    };
  }
}

function nodeOf({ node, use }: Row): StoredOrder['nodes'][number] {
  const [used, reached, most, ready, since] = JSON.parse(String(use));
  return { path: JSON.parse(String(node)), used, reached, most, ready, since };
}

function taskValues(task: Task): readonly unknown[] {
  const { artifact } = task.definition;
  const digest = artifact.kind === 'docker' ? null : artifact.sha256;
  const bytes = artifact.kind === 'wasm' ? artifact.sizeBytes : null;
  return [task.taskId, task.revision, tenantOf(task), digest, bytes, JSON.stringify(task)];
}
