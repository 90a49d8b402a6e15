/** NodeService: the node as a whole, why something waits, and the charts that run. */
import { create } from '@bufbuild/protobuf';
import { assertRole, mayReadAllTenants } from '../domain/access.ts';
import type { Activities } from '../domain/activity.ts';
import type { Clock } from '../domain/clock.ts';
import { invalidArgument, notFound, quote } from '../domain/errors.ts';
import type { Invocation } from '../domain/execution.ts';
import type { Explanations } from '../domain/explanation.ts';
import { type LogControl, type LogSettings, logFormats, logLevels } from '../domain/log-settings.ts';
import type { MachineDescription } from '../domain/machine.ts';
import type { NodeFeed } from '../domain/node-feed.ts';
import type { QueueViews } from '../domain/queue-view.ts';
import { acrossTenants } from '../domain/scope.ts';
import {
  type BreakpointControl,
  type BreakpointControlOptions,
  createBreakpointControl,
} from './breakpoint-control.ts';
import type { StreamHandler, UnaryHandler } from './call.ts';
import {
  type DescribeMachinesRequest,
  type DescribeMachinesResponse,
  DescribeMachinesResponseSchema,
  type ExplainExecutionRequest,
  type ExplainExecutionResponse,
  type GetActivityRequest,
  type GetActivityResponse,
  type GetInvocationRequest,
  type GetInvocationResponse,
  type GetNodeRequest,
  type GetNodeResponse,
  GetNodeResponseSchema,
  type GetQueueRequest,
  type GetQueueResponse,
  type SetLoggingRequest,
  type SetLoggingResponse,
  SetLoggingResponseSchema,
  type WatchNodeRequest,
  type WatchNodeResponse,
} from './gen/spearlet/node_pb.js';
import { activityToWire } from './wire/activity.ts';
import { machineToWire } from './wire/machine.ts';
import { explanationToWire, invocationToWire, newsToWire, nodeToWire } from './wire/node-view.ts';
import { queueToWire } from './wire/queue-view.ts';

export interface NodeServiceOptions extends BreakpointControlOptions {
  readonly feed: NodeFeed;
  readonly activities: Activities;
  readonly machines: readonly MachineDescription[];
  readonly explanations: Explanations;
  readonly queueViews: QueueViews;
  /** What executions were asked to run, but for what their records say. */
  readonly inputs: { input(executionId: string): Promise<Invocation | undefined> };
  readonly clock: Clock;
  readonly log: LogControl;
  /** Hears who changed what the log tells. */
  logChanged(settings: LogSettings, by: string): void;
}

export interface NodeService extends BreakpointControl {
  readonly getNode: UnaryHandler<GetNodeRequest, GetNodeResponse>;
  readonly watchNode: StreamHandler<WatchNodeRequest, WatchNodeResponse>;
  readonly describeMachines: UnaryHandler<DescribeMachinesRequest, DescribeMachinesResponse>;
  readonly explainExecution: UnaryHandler<ExplainExecutionRequest, ExplainExecutionResponse>;
  readonly getQueue: UnaryHandler<GetQueueRequest, GetQueueResponse>;
  readonly getActivity: UnaryHandler<GetActivityRequest, GetActivityResponse>;
  readonly getInvocation: UnaryHandler<GetInvocationRequest, GetInvocationResponse>;
  readonly setLogging: UnaryHandler<SetLoggingRequest, SetLoggingResponse>;
}

const defaultInputBytes = 64 * 1024;
const mostInputBytes = 3 * 1024 * 1024;

export function createNodeService(options: NodeServiceOptions): NodeService {
  const { feed, machines, explanations, queueViews, executions, seen, inputs, clock } = options;
  const described = create(DescribeMachinesResponseSchema, { machines: machines.map(machineToWire) });

  return {
    async getNode({ allTenants }, { principal, scope }) {
      const counted = acrossTenants('all_tenants', principal, scope, allTenants);
      return create(GetNodeResponseSchema, { node: nodeToWire(await feed.status(counted)) });
    },

    async watchNode(request, call, send) {
      const told = acrossTenants('all_tenants', call.principal, call.scope, request.allTenants);
      const watch = feed.watch(positionFrom(request.fromPosition), call.principal.name, told);
      call.onGone(() => watch.close());
      try {
        for (;;) {
          const news = await watch.next();
          if (news === undefined) return;
          const busy = send(newsToWire(news, Math.round(clock.now())));
          if (busy !== undefined) await busy;
        }
      } finally {
        watch.close();
      }
    },

    async describeMachines() {
      return described;
    },

    async explainExecution(request, { scope }) {
      const id = await seen(scope, request.executionId);
      return explanationToWire(await explanations.explain(id, scope));
    },

    async getQueue({ allTenants, maxLines }, { principal, scope }) {
      const seen = acrossTenants('all_tenants', principal, scope, allTenants);
      return queueToWire(await queueViews.view(seen, maxLines === 0 ? undefined : maxLines));
    },

    async getActivity({ allTenants, fromStep, byTask }, { principal, scope }) {
      const told = acrossTenants('all_tenants', principal, scope, allTenants);
      const view = options.activities.view(told, positionFrom(fromStep), byTask);
      return activityToWire(view, mayReadAllTenants(principal));
    },

    async getInvocation(request, { principal, scope }) {
      if (request.includeEnvironment) assertRole(principal, 'develop', 'include_environment');
      const id = await seen(scope, request.executionId);
      // One whose admission is on its way is waited for.
      const cursor = await executions.attach(id, 'glance');
      const { functionName, contentType } = cursor.record;
      cursor.close('done');
      const invocation = await inputs.input(id);
      if (invocation === undefined) throw notFound('execution', id);
      const whole = { ...invocation, functionName, contentType };
      return invocationToWire(whole, {
        maxInputBytes: Math.min(request.maxInputBytes ?? defaultInputBytes, mostInputBytes),
        withValues: request.includeEnvironment,
      });
    },

    async setLogging(request, { principal }) {
      const { log } = options;
      const level = oneOf('level', request.level, logLevels);
      const format = oneOf('format', request.format, logFormats);
      if (level !== undefined || format !== undefined) {
        log.change({ ...(level !== undefined && { level }), ...(format !== undefined && { format }) });
        options.logChanged(log.settings, principal.name);
      }
      return create(SetLoggingResponseSchema, { ...log.settings });
    },

    ...createBreakpointControl(options),
  };
}

/** Undefined for an empty text. */
function oneOf<Word extends string>(field: string, text: string, words: readonly Word[]): Word | undefined {
  const found = words.find((word) => word === text);
  if (found === undefined && text !== '') {
    throw invalidArgument(field, `is ${quote(text)}; allowed are ${words.join(', ')}`);
  }
  return found;
}

/** No node has had as many events as this. */
function positionFrom(value: bigint): number {
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
