/** The unary methods of a fake node. */
import type { BreakpointJson, ExecutionResultJson } from '../../../src/visualizer/page/wire.ts';
import { chance, execution, taskNames } from './made-executions.ts';

type Request = Readonly<Record<string, unknown>>;
type Method = (request: Request) => object | undefined;

export interface FakeState {
  readonly executions: Map<string, ExecutionResultJson>;
  tell(executions: readonly ExecutionResultJson[]): void;
  forget(ids: readonly string[]): void;
  view(): object;
  machines(): readonly unknown[];
  /** Of the log of an execution. */
  lastSequence(executionId: string): string;
}

export function fakeMethods({
  executions,
  tell,
  forget,
  view,
  machines,
  lastSequence,
}: FakeState): Readonly<Record<string, Method>> {
  const breakpoints = new Map<string, BreakpointJson>();
  let made = 1_000_000;
  const change = (request: Request, next: Partial<ExecutionResultJson>) => {
    const known = executions.get(String(request.executionId));
    if (known === undefined) return undefined;
    const timestamp = new Date().toISOString();
    if (!known.isCompleted) tell([{ ...known, ...next, timestamp }]);
    return {
      changed: !known.isCompleted,
      status: next.status ?? known.status,
      state: next.state ?? known.state,
    };
  };
  const task = (name: string) => ({
    taskId: `task_${name}`,
    revision: 3,
    definition: {
      name,
      runtime: name === 'embed-text' ? 'RUNTIME_KIND_WASM' : 'RUNTIME_KIND_DOCKER',
      description: `The ${name} function`,
    },
    functions: [
      name === 'embed-text'
        ? {
            name: 'probe:typed/embed@1.0.0#embed',
            parameters: [
              { name: 'text', type: 'string' },
              { name: 'size', type: 'option<u32>' },
            ],
            result: 'list<f32>',
            callable: true,
            reason: '',
          }
        : { name: '', parameters: [], result: '', callable: true, reason: '' },
    ],
    wit: '',
    loosened: [],
  });
  return {
    'NodeService/GetActivity': () => ({ stepSeconds: 5, firstStep: '0', nextStep: '0', tasks: [] }),
    'ClusterService/ListNodes': () => ({ nodes: [] }),
    'BatchService/ListBatches': () => ({ batches: [], nextPageToken: '' }),
    'NodeService/GetNode': () => ({ node: view() }),
    'NodeService/DescribeMachines': () => ({ machines: machines() }),
    'NodeService/ExplainExecution': ({ executionId }) => ({
      executionId,
      status: 'EXECUTION_STATUS_PENDING',
      state: 'pending.queued',
      summary: 'It waits for a slot: all 16 are in use.',
      details: ['It is the third in the queue.'],
      queuePlace: '3',
      queueLength: '12',
      heldBy: [...executions.values()]
        .filter(({ state }) => state === 'running.attempting')
        .map(({ executionId: id }) => id),
    }),
    'NodeService/GetInvocation': ({ executionId }) => {
      const known = executions.get(String(executionId));
      if (known === undefined) return undefined;
      const typed = known.functionName !== '';
      return {
        functionName: known.functionName,
        parameters: typed ? { text: 'a spear in flight', size: 16 } : {},
        input: typed ? '' : btoa('{"width": 320, "height": 200}'),
        inputBytes: typed ? '0' : '29',
        contentType: 'application/json',
        args: typed ? [] : ['--quality', '85'],
        environment: { LEVEL: 'debug' },
        forceNewInstance: false,
      };
    },
    'NodeService/ListBreakpoints': () => ({ breakpoints: [...breakpoints.values()] }),
    'NodeService/SetBreakpoint': ({ breakpoint }) => {
      const breakpointId = `bp_${breakpoints.size + 1}`;
      const set = { ...(breakpoint as BreakpointJson), breakpointId, hits: '0' };
      breakpoints.set(breakpointId, set);
      return { breakpoint: set };
    },
    'NodeService/DeleteBreakpoint': ({ breakpointId }) => {
      breakpoints.delete(String(breakpointId));
      return {};
    },
    'TaskService/ListTasks': () => ({ tasks: [...taskNames].sort().map(task), nextPageToken: '' }),
    'TaskService/GetTask': (request) => ({ task: task(String(request.task).replace(/^task_/, '')) }),
    'InstanceService/ListInstances': () => instances(executions),
    'FunctionService/GetExecutionStatus': ({ executionId }) => {
      const id = String(executionId);
      const result = executions.get(id);
      return (
        result && { result, statusEndpoint: '', estimatedCompletionMs: '0', lastSequence: lastSequence(id) }
      );
    },
    'FunctionService/ListExecutions': (request) => list(executions, request),
    'FunctionService/CancelExecution': (request) =>
      change(request, {
        status: 'EXECUTION_STATUS_CANCELLED',
        state: 'cancelled',
        isCompleted: true,
        completedAt: new Date().toISOString(),
        errorCode: 'ERROR_CODE_CANCELLED',
        allowedEvents: [],
      }),
    'FunctionService/SuspendExecution': (request) =>
      change(request, { state: 'running.suspended', allowedEvents: ['resume', 'cancel'] }),
    'FunctionService/ResumeExecution': (request) =>
      change(request, { state: 'running.attempting', allowedEvents: ['suspend', 'cancel'] }),
    'FunctionService/DeleteExecution': ({ executionId }) => {
      forget([String(executionId)]);
      return {};
    },
    'FunctionService/InvokeFunction': ({ task: taskId }) => {
      made += 1;
      const name = String(taskId).replace(/^task_/, '');
      const admitted = { ...execution(Date.now(), made), taskName: name, taskId: `task_${name}` };
      tell([admitted]);
      return { executionId: admitted.executionId };
    },
    'SnapshotService/RestoreExecution': () => {
      made += 1;
      const restored = { ...execution(Date.now(), made), state: 'pending.held' };
      tell([restored]);
      return { result: restored, notes: ['the attempt was lost'], signedBy: '' };
    },
  };
}

function list(executions: ReadonlyMap<string, ExecutionResultJson>, request: Request) {
  const { task = '', statuses = [], createdAfter, createdBefore, pageSize = 100, pageToken = '' } = request;
  const wanted = [...executions.values()]
    .filter(
      (each) =>
        (task === '' || each.taskName === task || each.taskId === task) &&
        ((statuses as string[]).length === 0 || (statuses as string[]).includes(each.status)) &&
        (createdAfter === undefined || (each.createdAt ?? '') > String(createdAfter)) &&
        (createdBefore === undefined || (each.createdAt ?? '') < String(createdBefore)) &&
        (pageToken === '' || each.executionId < String(pageToken)),
    )
    .sort((a, b) => (a.executionId < b.executionId ? 1 : -1));
  const page = wanted.slice(0, Number(pageSize) || 100);
  return {
    executions: page,
    nextPageToken: wanted.length > page.length ? (page.at(-1)?.executionId ?? '') : '',
  };
}

function instances(executions: ReadonlyMap<string, ExecutionResultJson>) {
  const busy = [...executions.values()].filter(({ state }) => state === 'running.attempting').slice(0, 8);
  const created = new Date(Date.now() - 60_000).toISOString();
  const one = (taskName: string, id: string, state: string, executionId: string) => ({
    instanceId: id,
    runtime: taskName === '' ? 'RUNTIME_KIND_WASM' : 'RUNTIME_KIND_DOCKER',
    state: `INSTANCE_STATE_${state}`,
    taskId: taskName === '' ? '' : `task_${taskName}`,
    taskName,
    taskRevision: 3,
    executionId,
    attempt: 1,
    uses: '1',
    startedAhead: state === 'IDLE',
    reason: state === 'BROKEN' ? 'could not be confirmed gone' : '',
    createdAt: created,
    stateSince: created,
  });
  return {
    instances: [
      ...busy.map((each) =>
        one(each.taskName === 'embed-text' ? '' : each.taskName, each.instanceId, 'BUSY', each.executionId),
      ),
      ...taskNames
        .slice(0, 3)
        .map((name, index) => one(name, `inst_warm${Math.floor(chance(index) * 1e6)}`, 'IDLE', '')),
      one('transcode', 'inst_lost01', 'BROKEN', ''),
    ],
    pools: taskNames.slice(0, 3).map((taskName, index) => ({
      taskId: `task_${taskName}`,
      taskName,
      taskRevision: 3,
      runtime: 'RUNTIME_KIND_DOCKER',
      policy: { min: 1, startAhead: true },
      starting: 0,
      idle: 1,
      busy: busy.filter((each) => each.taskName === taskName).length,
      stopping: 0,
      broken: taskName === 'transcode' ? 1 : 0,
      warmHits: String(1200 * (index + 1)),
      coldStarts: String(14 * index),
      spoiled: String(index),
    })),
  };
}
