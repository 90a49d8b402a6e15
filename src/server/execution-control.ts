/** The methods of FunctionService that change an execution that is there: each answers once its change is durable. */
import { create } from '@bufbuild/protobuf';
import type { Changed, Executions } from '../domain/executions.ts';
import type { SeenExecution } from './access/seen-executions.ts';
import type { UnaryHandler } from './call.ts';
import {
  type CancelExecutionRequest,
  type CancelExecutionResponse,
  CancelExecutionResponseSchema,
  type DeleteExecutionRequest,
  type DeleteExecutionResponse,
  DeleteExecutionResponseSchema,
  type ResumeExecutionRequest,
  type ResumeExecutionResponse,
  ResumeExecutionResponseSchema,
  type SuspendExecutionRequest,
  type SuspendExecutionResponse,
  SuspendExecutionResponseSchema,
} from './gen/spearlet/function_pb.js';
import { statusToWire } from './wire/enums.ts';
import { text } from './wire/fields.ts';

export interface ExecutionControl {
  readonly cancelExecution: UnaryHandler<CancelExecutionRequest, CancelExecutionResponse>;
  readonly suspendExecution: UnaryHandler<SuspendExecutionRequest, SuspendExecutionResponse>;
  readonly resumeExecution: UnaryHandler<ResumeExecutionRequest, ResumeExecutionResponse>;
  readonly deleteExecution: UnaryHandler<DeleteExecutionRequest, DeleteExecutionResponse>;
}

export function createExecutionControl(executions: Executions, seen: SeenExecution): ExecutionControl {
  return {
    async cancelExecution(request, call) {
      const reason = text('reason', request.reason, 1024);
      const { changed, record } = await executions.cancel(
        await seen(call.scope, request.executionId),
        reason,
        call.principal.name,
      );
      return create(CancelExecutionResponseSchema, { changed, status: statusToWire[record.status] });
    },

    async suspendExecution(request, call) {
      const id = await seen(call.scope, request.executionId);
      const answer = await executions.suspend(id, call.principal.name);
      return create(SuspendExecutionResponseSchema, changeToWire(answer));
    },

    async resumeExecution(request, call) {
      const id = await seen(call.scope, request.executionId);
      const answer = await executions.resume(id, call.principal.name);
      return create(ResumeExecutionResponseSchema, changeToWire(answer));
    },

    async deleteExecution(request, call) {
      await executions.delete(await seen(call.scope, request.executionId));
      return create(DeleteExecutionResponseSchema);
    },
  };
}

function changeToWire({ changed, record }: Changed) {
  return { changed, status: statusToWire[record.status], state: record.state };
}
