import { create } from '@bufbuild/protobuf';
import { maySeeVariables } from '../domain/access.ts';
import { type CacheViews, noSavings } from '../domain/cache.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { Executions } from '../domain/executions.ts';
import { assertMayFetch, assertMayReachHost } from '../domain/host-reach.ts';
import type { Revisions } from '../domain/revisions/port.ts';
import { taskReference } from '../domain/revisions/reference.ts';
import { assertOneTenant, tenantOf } from '../domain/scope.ts';
import type { Task } from '../domain/task.ts';
import type { ArtifactProgress, Quarantines, Tasks } from '../domain/tasks.ts';
import type { CallContext, StreamHandler, UnaryHandler } from './call.ts';
import type { ExecutionList } from './execution-list.ts';
import {
  type DeleteTaskRequest,
  type DeleteTaskResponse,
  DeleteTaskResponseSchema,
  type GetTaskRequest,
  type GetTaskResponse,
  GetTaskResponseSchema,
  type ListTasksRequest,
  type ListTasksResponse,
  ListTasksResponseSchema,
  type RegisterTaskRequest,
  type RegisterTaskResponse,
  RegisterTaskResponseSchema,
  type RegisterTaskWithProgressRequest,
  type RegisterTaskWithProgressResponse,
  RegisterTaskWithProgressResponseSchema,
  type ResetTaskRequest,
  type ResetTaskResponse,
  ResetTaskResponseSchema,
  type UpdateTaskRequest,
  type UpdateTaskResponse,
  UpdateTaskResponseSchema,
} from './gen/spearlet/task_pb.js';
import type { PageTokens } from './page-tokens.ts';
import { aliasToWire } from './wire/alias.ts';
import { pageSize, reference } from './wire/fields.ts';
import { labelsFromWire } from './wire/labels.ts';
import { draftFromWire, taskToWire } from './wire/task.ts';
import { updateFromWire } from './wire/task-update.ts';

export interface TaskServiceOptions {
  readonly tasks: Tasks;
  readonly revisions: Pick<Revisions, 'one' | 'aliases'>;
  readonly quarantines: Quarantines;
  readonly caches: CacheViews;
  readonly executions: Executions;
  readonly list: ExecutionList;
  readonly pageTokens: PageTokens;
  /** HOST[:PORT] of registries that anybody who registers may have the engine ask, beside Docker Hub. */
  readonly imageRegistries: readonly string[];
}

export interface TaskService {
  readonly registerTask: UnaryHandler<RegisterTaskRequest, RegisterTaskResponse>;
  readonly registerTaskWithProgress: StreamHandler<
    RegisterTaskWithProgressRequest,
    RegisterTaskWithProgressResponse
  >;
  readonly getTask: UnaryHandler<GetTaskRequest, GetTaskResponse>;
  readonly listTasks: UnaryHandler<ListTasksRequest, ListTasksResponse>;
  readonly updateTask: UnaryHandler<UpdateTaskRequest, UpdateTaskResponse>;
  readonly resetTask: UnaryHandler<ResetTaskRequest, ResetTaskResponse>;
  readonly deleteTask: UnaryHandler<DeleteTaskRequest, DeleteTaskResponse>;
}

const cancelPage = 500;
/** Parts of an artifact that are followed one by one. */
const mostParts = 1000;

export function createTaskService({
  tasks,
  revisions,
  quarantines,
  caches,
  executions,
  list,
  pageTokens,
  imageRegistries,
}: TaskServiceOptions): TaskService {
  const cancelAll = async (task: Task, by: string): Promise<number> => {
    let cancelled = 0;
    let beforeId: string | undefined;
    for (;;) {
      const page: ExecutionRecord[] = await list.executions({
        taskId: task.taskId,
        tenant: tenantOf(task),
        statuses: ['pending', 'running'],
        limit: cancelPage,
        ...(beforeId !== undefined && { beforeId }),
      });
      const last = page.at(-1);
      if (last === undefined) return cancelled;
      const results = await Promise.all(
        page.map((record) => executions.cancel(record.executionId, 'its task was deleted', by)),
      );
      cancelled += results.filter((result) => result.changed).length;
      beforeId = last.executionId;
    }
  };

  const shown = (task: Task, { principal }: Pick<CallContext, 'principal'>) =>
    taskToWire(task, maySeeVariables(principal), {
      quarantine: quarantines.of(task),
      savings: task.definition.cache && (caches.savingsOf(task.taskId) ?? noSavings),
    });

  /** A caller that goes away before the artifact is here ends the registration. */
  const register = async (
    request: Pick<RegisterTaskRequest, 'definition' | 'ifAbsent'>,
    call: CallContext,
    progress: (step: ArtifactProgress) => void,
  ): Promise<RegisterTaskResponse> => {
    const controller = new AbortController();
    call.onGone(() => controller.abort());
    const draft = draftFromWire(request.definition);
    assertMayReachHost(call.principal, draft);
    assertMayFetch(call.principal, draft, imageRegistries);
    const { task, changed } = await tasks.register(draft, {
      scope: call.scope,
      ifAbsent: request.ifAbsent,
      progress,
      signal: controller.signal,
    });
    return create(RegisterTaskResponseSchema, {
      task: shown(task, call),
      changed,
    });
  };

  return {
    async registerTask(request, call) {
      return register(request, call, () => {});
    },

    async registerTaskWithProgress(request, call, send) {
      let sending: Promise<void> | undefined;
      const told = new Map<string, string>();
      const registered = await register(request, call, (step) => {
        // A reader that is slow hears of fewer bytes, rather than the download waits for it; never of fewer states,
        // which are few.
        const news = told.get(step.part) !== step.status && told.size < mostParts;
        if (sending !== undefined && !news) return;
        told.set(step.part, step.status);
        sending = send(progressToWire(step))?.finally(() => {
          sending = undefined;
        });
      });
      await sending;
      await send(
        create(RegisterTaskWithProgressResponseSchema, { step: { case: 'registered', value: registered } }),
      );
    },

    async getTask(request, call) {
      const { scope } = call;
      const wanted = taskReference('task', reference('task', request.task));
      if (!wanted.task.startsWith('task_')) assertOneTenant(scope, 'a task by its name');
      const task = await revisions.one(scope, wanted.task, wanted.revision);
      const aliases = await revisions.aliases(task);
      return create(GetTaskResponseSchema, {
        task: { ...shown(task, call), aliases: aliases.map(aliasToWire) },
      });
    },

    async listTasks(request, call) {
      const { scope } = call;
      assertOneTenant(scope, 'a list of tasks');
      const limit = pageSize(request.pageSize);
      const after = pageTokens.open('tasks', request.pageToken);
      const found = await tasks.list(scope, after, limit + 1, labelsFromWire(request.labels));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return create(ListTasksResponseSchema, {
        tasks: page.map((task) => shown(task, call)),
        nextPageToken:
          found.length > limit && last !== undefined ? pageTokens.seal('tasks', last.definition.name) : '',
      });
    },

    async updateTask(request, call) {
      const wanted = reference('task', request.task);
      const update = { ...updateFromWire(request), scope: call.scope };
      const { task, changed } = await tasks.update(wanted, update);
      return create(UpdateTaskResponseSchema, { task: shown(task, call), changed });
    },

    async resetTask(request, call) {
      const task = await tasks.get(call.scope, reference('task', request.task));
      const changed = await quarantines.reset(task);
      return create(ResetTaskResponseSchema, { task: shown(task, call), changed });
    },

    async deleteTask(request, call) {
      const task = await tasks.remove(call.scope, reference('task', request.task));
      const cancelledExecutions = request.cancelExecutions ? await cancelAll(task, call.principal.name) : 0;
      return create(DeleteTaskResponseSchema, { taskId: task.taskId, cancelledExecutions });
    },
  };
}

function progressToWire(step: ArtifactProgress): RegisterTaskWithProgressResponse {
  return create(RegisterTaskWithProgressResponseSchema, {
    step: {
      case: 'progress',
      value: {
        part: step.part.toWellFormed(),
        status: step.status.toWellFormed(),
        doneBytes: BigInt(step.doneBytes),
        totalBytes: BigInt(step.totalBytes),
      },
    },
  });
}
