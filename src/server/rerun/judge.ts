/** Whether an execution can be run again, and the request that does it. */
import { type Dependency, dependencyEnd, failsDependant } from '../../domain/dependency.ts';
import { RequestError } from '../../domain/errors.ts';
import type { ExecutionRecord, Invocation } from '../../domain/execution.ts';
import type { AdmissionRequest } from '../../domain/executions.ts';
import { assertMayGive } from '../../domain/host-reach.ts';
import { type RerunRefusal, refusalOf, rerunKey } from '../../domain/rerun.ts';
import type { Chosen } from '../../domain/revisions/port.ts';
import { sees, tenantOf } from '../../domain/scope.ts';
import { isDamage } from '../../domain/store-error.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import type { Tasks } from '../../domain/tasks.ts';
import { effectiveTimeouts } from '../../domain/timeouts.ts';
import type { TraceSampling } from '../../domain/trace.ts';
import { assertMayTell, ownWebhooksOf, type WebhookRule } from '../../domain/webhook.ts';
import type { CallContext } from '../call.ts';
import { payloadDigest } from '../payload.ts';
import { outputParameters } from '../wire/dependency.ts';
import type { RerunWish } from './rerun-wish.ts';

/** What the store has of executions. */
export interface RerunRecords {
  execution(executionId: string): Promise<ExecutionRecord | undefined>;
  executionByInvocation(tenant: string, invocationId: string): Promise<ExecutionRecord | undefined>;
  input(executionId: string): Promise<Invocation | undefined>;
}

export interface JudgeOptions {
  readonly records: RerunRecords;
  readonly tasks: Pick<Tasks, 'choose' | 'checkCall'>;
  readonly traces: TraceSampling;
  readonly webhooks: WebhookRule;
  readonly defaultTotalMs: number;
}

export interface Refused {
  readonly kind: 'refused';
  readonly refusal: RerunRefusal;
  readonly message: string;
  /** Of one that was run again already. */
  readonly by?: string;
}

/** An execution that this run has made already. */
interface Found {
  readonly kind: 'found';
  readonly record: ExecutionRecord;
}

export type Verdict = Refused | Found | { readonly kind: 'possible' };

export class Judge {
  readonly #options: JudgeOptions;
  readonly #wish: RerunWish;
  readonly #call: CallContext;

  constructor(options: JudgeOptions, wish: RerunWish, call: CallContext) {
    this.#options = options;
    this.#wish = wish;
    this.#call = call;
  }

  /** By an id that a caller names, or that was meant a while ago. */
  async record(executionId: string): Promise<ExecutionRecord | Refused> {
    try {
      const record = await this.#options.records.execution(executionId);
      if (record !== undefined && sees(this.#call.scope, record)) return record;
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    return refused('executionGone', `no execution ${executionId}`);
  }

  /** By what can be told without what it was asked to run. */
  async verdict(record: ExecutionRecord): Promise<Verdict> {
    const { id, again } = this.#wish;
    const { executionId } = record;
    const refusal = refusalOf(record);
    if (refusal === 'moved') return refused('moved', `${executionId} goes on at another node`);
    if (refusal !== undefined) return refused(refusal, `${executionId} is ${record.state}`);
    const key = rerunKey(executionId, id, again);
    const made = await this.#options.records.executionByInvocation(tenantOf(record), key);
    if (made?.rerun?.id === id) return { kind: 'found', record: made };
    if (made !== undefined) {
      const message = `${executionId} was run again already, as ${made.executionId}`;
      return { ...refused('alreadyRerun', message), by: made.executionId };
    }
    const chosen = await this.#chosen(record);
    return 'kind' in chosen ? chosen : { kind: 'possible' };
  }

  /** The request that runs it again. */
  async request(record: ExecutionRecord): Promise<AdmissionRequest | Refused> {
    const chosen = await this.#chosen(record);
    if ('kind' in chosen) return chosen;
    const invocation = await this.#invocation(record);
    if ('kind' in invocation) return invocation;
    const dependsOn = await this.#dependencies(record);
    if (dependsOn !== undefined && 'kind' in dependsOn) return dependsOn;
    try {
      return this.#requestFor(record, chosen, { invocation, dependsOn });
    } catch (error) {
      if (error instanceof RequestError) return refused('refused', error.message);
      throw error;
    }
  }

  async #chosen(record: ExecutionRecord): Promise<Chosen | Refused> {
    const { id, again, revision } = this.#wish;
    const { taskId, taskName, taskRevision, executionId } = record;
    const wanted = revision === '' ? String(taskRevision) : revision;
    try {
      const key = rerunKey(executionId, id, again);
      return await this.#options.tasks.choose(this.#call.scope, `${taskId}@${wanted}`, key);
    } catch (error) {
      if (!(error instanceof RequestError) || error.kind !== 'not_found') throw error;
      if (error.reason === 'TASK_NOT_FOUND')
        return refused('taskGone', `its task ${taskName} (${taskId}) is gone`);
      return refused('revisionGone', error.message);
    }
  }

  async #invocation({
    executionId,
    functionName,
    contentType,
  }: ExecutionRecord): Promise<Invocation | Refused> {
    try {
      const stored = await this.#options.records.input(executionId);
      if (stored !== undefined) return { ...stored, functionName, contentType };
    } catch (error) {
      if (!isDamage(error)) throw error;
    }
    return refused('inputGone', `what ${executionId} was asked to run cannot be read any more`);
  }

  /** What it follows now: of those that it failed for the executions that run them again. */
  async #dependencies(record: ExecutionRecord): Promise<readonly Dependency[] | undefined | Refused> {
    const { dependsOn } = record;
    if (dependsOn === undefined) return undefined;
    const { records } = this.#options;
    const found: Dependency[] = [];
    for (const { name, ...dependency } of dependsOn) {
      const other = await records.execution(dependency.executionId);
      const end = other === undefined ? undefined : dependencyEnd(other);
      const isFine = end === undefined || !failsDependant(dependency, end);
      // What a run does before it is not known while it is only counted.
      const made = isFine || this.#wish.dryRun ? other : await this.#madeOf(record, dependency.executionId);
      if (made === undefined && !isFine) {
        const which = name === undefined ? dependency.executionId : `${name} (${dependency.executionId})`;
        return refused('refused', `${record.executionId} depends on ${which}, which was not run again`);
      }
      found.push({ ...dependency, executionId: made?.executionId ?? dependency.executionId });
    }
    return found;
  }

  /** What this run, or else another, has made of it. */
  async #madeOf(record: ExecutionRecord, executionId: string): Promise<ExecutionRecord | undefined> {
    const { id, again } = this.#wish;
    const { records } = this.#options;
    const tenant = tenantOf(record);
    const made = await records.executionByInvocation(tenant, rerunKey(executionId, id, again));
    if (made !== undefined || !again) return made;
    return records.executionByInvocation(tenant, rerunKey(executionId, id, false));
  }

  /** Throws RequestError for what the task does not take. */
  #requestFor(
    record: ExecutionRecord,
    { task, alias }: Chosen,
    { invocation, dependsOn }: { invocation: Invocation; dependsOn: readonly Dependency[] | undefined },
  ): AdmissionRequest {
    const { id, again, priority } = this.#wish;
    const { principal, scope } = this.#call;
    const { executionId, fairnessKey, labels, metadata } = record;
    assertMayGive(principal, task.definition, invocation.environment);
    const later = dependsOn === undefined ? [] : outputParameters('depends_on', dependsOn, invocation);
    const { tasks } = this.#options;
    const functionName = tasks.checkCall(task, invocation.functionName, invocation.parameters, later);
    const trace = this.#options.traces.traceFor(this.#call.trace);
    const onEnd = ownWebhooksOf(record);
    assertMayTell('on_end', onEnd, this.#options.webhooks);
    const given = { ...invocation, functionName };
    return {
      task,
      mode: 'async',
      invocation: given,
      invocationId: rerunKey(executionId, id, again),
      payloadDigest: payloadDigest(task.taskId, given, dependsOn),
      metadata,
      timeouts: effectiveTimeouts(
        task.definition.timeouts,
        shorterTimeouts(record, task.definition),
        this.#options.defaultTotalMs,
      ),
      startAfterMs: 0,
      cancelOnDisconnect: false,
      by: principal.name,
      scope,
      rerun: { of: executionId, id },
      ...(dependsOn !== undefined && { dependsOn }),
      ...(onEnd.length > 0 && { onEnd }),
      ...(alias !== undefined && { alias }),
      ...(labels !== undefined && { labels }),
      ...(priority !== undefined && { priority }),
      ...(fairnessKey !== undefined && { fairnessKey }),
      ...(trace !== undefined && { trace }),
    };
  }
}

/** Those of its request that still shorten the task's. Its total timeout is not among them: the record has an instant. */
function shorterTimeouts({ deadlines }: ExecutionRecord, { timeouts }: TaskDefinition) {
  const { queueMs, attemptMs } = deadlines;
  const isShorter = (own: number | undefined, of: number | undefined) =>
    own !== undefined && own < (of ?? Number.POSITIVE_INFINITY);
  return {
    ...(queueMs !== undefined && isShorter(queueMs, timeouts.queueMs) && { queueMs }),
    ...(attemptMs !== undefined && isShorter(attemptMs, timeouts.attemptMs) && { attemptMs }),
  };
}

function refused(refusal: RerunRefusal, message: string): Refused {
  return { kind: 'refused', refusal, message };
}
