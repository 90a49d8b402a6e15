import { create } from '@bufbuild/protobuf';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { Executions } from '../domain/executions.ts';
import type { Tasks } from '../domain/tasks.ts';
import type { UnaryHandler } from './call.ts';
import type { ExecutionList } from './function-service.ts';
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
} from './gen/spearlet/task_pb.js';
import { pageSize, pageToken, reference, toPageToken } from './wire/fields.ts';
import { draftFromWire, taskToWire } from './wire/task.ts';

export interface TaskServiceOptions {
  readonly tasks: Tasks;
  readonly executions: Executions;
  readonly list: ExecutionList;
}

export interface TaskService {
  readonly registerTask: UnaryHandler<RegisterTaskRequest, RegisterTaskResponse>;
  readonly getTask: UnaryHandler<GetTaskRequest, GetTaskResponse>;
  readonly listTasks: UnaryHandler<ListTasksRequest, ListTasksResponse>;
  readonly deleteTask: UnaryHandler<DeleteTaskRequest, DeleteTaskResponse>;
}

const cancelPage = 500;

export function createTaskService({ tasks, executions, list }: TaskServiceOptions): TaskService {
  const cancelAll = async (taskId: string): Promise<number> => {
    let cancelled = 0;
    let beforeId: string | undefined;
    for (;;) {
      const page: ExecutionRecord[] = await list.executions({
        taskId,
        statuses: ['pending', 'running'],
        limit: cancelPage,
        ...(beforeId !== undefined && { beforeId }),
      });
      const last = page.at(-1);
      if (last === undefined) return cancelled;
      const results = await Promise.all(
        page.map((record) => executions.cancel(record.executionId, 'its task was deleted')),
      );
      cancelled += results.filter((result) => result.changed).length;
      beforeId = last.executionId;
    }
  };

  return {
    async registerTask(request) {
      const { task, changed } = await tasks.register(draftFromWire(request.definition), request.ifAbsent);
      return create(RegisterTaskResponseSchema, { task: taskToWire(task), changed });
    },

    async getTask(request) {
      return create(GetTaskResponseSchema, {
        task: taskToWire(await tasks.get(reference('task', request.task))),
      });
    },

    async listTasks(request) {
      const limit = pageSize(request.pageSize);
      const found = await tasks.list(pageToken(request.pageToken, 'tasks'), limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return create(ListTasksResponseSchema, {
        tasks: page.map(taskToWire),
        nextPageToken:
          found.length > limit && last !== undefined ? toPageToken('tasks', last.definition.name) : '',
      });
    },

    async deleteTask(request) {
      const task = await tasks.remove(reference('task', request.task));
      const cancelledExecutions = request.cancelExecutions ? await cancelAll(task.taskId) : 0;
      return create(DeleteTaskResponseSchema, { taskId: task.taskId, cancelledExecutions });
    },
  };
}
