import { create } from '@bufbuild/protobuf';
import type { Breakpoint, Breakpoints } from '../domain/breakpoint.ts';
import { invalidArgument, quote, RequestError } from '../domain/errors.ts';
import { isTerminal } from '../domain/execution.ts';
import type { Executions } from '../domain/executions.ts';
import type { Scope } from '../domain/scope.ts';
import type { Tasks } from '../domain/tasks.ts';
import type { SeenExecution } from './access/seen-executions.ts';
import type { UnaryHandler } from './call.ts';
import {
  type DeleteBreakpointRequest,
  type DeleteBreakpointResponse,
  DeleteBreakpointResponseSchema,
  type ListBreakpointsRequest,
  type ListBreakpointsResponse,
  ListBreakpointsResponseSchema,
  type SetBreakpointRequest,
  type SetBreakpointResponse,
  SetBreakpointResponseSchema,
  type Breakpoint as WireBreakpoint,
} from './gen/spearlet/node_pb.js';
import { beforeFromWire, breakpointToWire } from './wire/breakpoint.ts';
import { reference } from './wire/fields.ts';

export interface BreakpointControlOptions {
  readonly breakpoints: Breakpoints;
  readonly executions: Pick<Executions, 'attach'>;
  readonly seen: SeenExecution;
  readonly tasks: Pick<Tasks, 'get' | 'isSeen'>;
}

export interface BreakpointControl {
  readonly setBreakpoint: UnaryHandler<SetBreakpointRequest, SetBreakpointResponse>;
  readonly listBreakpoints: UnaryHandler<ListBreakpointsRequest, ListBreakpointsResponse>;
  readonly deleteBreakpoint: UnaryHandler<DeleteBreakpointRequest, DeleteBreakpointResponse>;
}

/** The methods of NodeService that stop executions at a transition. */
export function createBreakpointControl(options: BreakpointControlOptions): BreakpointControl {
  const { breakpoints, executions, seen, tasks } = options;

  const ofWhat = async (scope: Scope, wanted: WireBreakpoint): Promise<Breakpoint['of']> => {
    if ((wanted.task === '') === (wanted.executionId === '')) {
      throw invalidArgument(
        'breakpoint',
        'names a task and an execution, or neither; allowed is one of them',
      );
    }
    if (wanted.task !== '') {
      const { taskId, definition } = await tasks.get(scope, reference('breakpoint.task', wanted.task));
      return { kind: 'task', taskId, name: definition.name };
    }
    const cursor = await executions.attach(await seen(scope, wanted.executionId), 'glance');
    const { record } = cursor;
    cursor.close('done');
    if (!isTerminal(record.status)) return { kind: 'execution', executionId: record.executionId };
    throw new RequestError(
      'failed_precondition',
      `${record.executionId} is ${record.state}: it has ended, and nothing can stop it any more`,
      { reason: 'STATE_NOT_ALLOWED', metadata: { execution_id: record.executionId, state: record.state } },
    );
  };

  const isInScope = async (scope: Scope, of: Breakpoint['of']): Promise<boolean> => {
    if (of.kind === 'task') return tasks.isSeen(scope, of.taskId);
    return seen(scope, of.executionId).then(
      () => true,
      (error: unknown) => {
        if (error instanceof RequestError && error.kind === 'not_found') return false;
        throw error;
      },
    );
  };

  const inScope = async (scope: Scope, all: readonly Breakpoint[]): Promise<Breakpoint[]> => {
    const known = await Promise.all(all.map(({ of }) => isInScope(scope, of)));
    return all.filter((_, index) => known[index]);
  };

  return {
    async setBreakpoint({ breakpoint }, { scope }) {
      if (breakpoint === undefined) throw invalidArgument('breakpoint', 'is required');
      const before = beforeFromWire(breakpoint.before);
      const of = await ofWhat(scope, breakpoint);
      const set = await breakpoints.set({ of, before, once: breakpoint.once });
      return create(SetBreakpointResponseSchema, { breakpoint: breakpointToWire(set) });
    },

    async listBreakpoints(_request, { scope }) {
      const seenHere = await inScope(scope, breakpoints.list());
      return create(ListBreakpointsResponseSchema, { breakpoints: seenHere.map(breakpointToWire) });
    },

    async deleteBreakpoint(request, { scope }) {
      const breakpointId = reference('breakpoint_id', request.breakpointId);
      const wanted = breakpoints.list().filter((each) => each.breakpointId === breakpointId);
      const [own] = await inScope(scope, wanted);
      if (own !== undefined && (await breakpoints.remove(breakpointId)))
        return create(DeleteBreakpointResponseSchema);
      throw new RequestError('not_found', `no breakpoint ${quote(breakpointId)}`, {
        reason: 'BREAKPOINT_NOT_FOUND',
        metadata: { breakpoint: breakpointId },
      });
    },
  };
}
