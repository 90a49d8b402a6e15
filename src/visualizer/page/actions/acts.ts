/** What the page can ask a node to do. Each resolves once the node has done it, and rejects with a CallFault. */
import { type ReadonlySignal, signal } from '@preact/signals';
import type { Call, CallWithLines } from '../feed/call.ts';
import { type Breakpoint, breakpointOf, type Stop } from '../model/breakpoint.ts';
import { type Invocation, invocationOf } from '../model/invocation.ts';
import { base64Of } from '../model/scalar.ts';
import type { May } from '../session/may.ts';
import type { BreakpointJson, GetInvocationResponseJson, Json } from '../wire.ts';

export interface NewInvocation {
  readonly task: string;
  readonly functionName: string;
  readonly parameters: Readonly<Record<string, Json>>;
  readonly input: Uint8Array;
  readonly contentType: string;
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly forceNewInstance: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface RestoreOptions {
  readonly hold: boolean;
  readonly asNew: boolean;
  readonly allowCopy: boolean;
  readonly environment: Readonly<Record<string, string>>;
}

export interface Restored {
  readonly id: string;
  /** What could not go on where it was, a line each. */
  readonly notes: readonly string[];
  readonly signedBy: string;
}

export interface WholeInvocation extends Invocation {
  /** The variables of its environment have their values; else the reader is told their names alone. */
  readonly withValues: boolean;
}

export interface Acts {
  /** False where it had ended, or was being cancelled already. */
  cancel(id: string, reason: string): Promise<boolean>;
  suspend(id: string): Promise<boolean>;
  resume(id: string): Promise<boolean>;
  remove(id: string): Promise<void>;
  /** The whole of what an execution was asked to run. */
  invocation(id: string): Promise<WholeInvocation>;
  /** Begins another one for the tenant of an execution, and answers with its id. */
  invoke(invocation: NewInvocation, like: string): Promise<string>;
  restore(file: Blob, options: RestoreOptions): Promise<Restored>;
  readonly breakpoints: ReadonlySignal<readonly Breakpoint[]>;
  readBreakpoints(): Promise<void>;
  addBreakpoint(at: { task: string; execution: string; before: Stop; once: boolean }): Promise<void>;
  removeBreakpoint(id: string): Promise<void>;
}

/** The most of an input that is read to be edited and sent again. */
const maxInputBytes = 3 * 1024 * 1024;
/** How much of a snapshot is in one message. */
const pieceBytes = 512 * 1024;

interface Options {
  readonly call: Call;
  readonly callWithLines: CallWithLines;
  readonly may: May;
  /** Of an execution, where the page shows those of more than one; else empty. */
  readonly tenantOf: (executionId: string) => string;
}

export function createActs({ call, callWithLines, may, tenantOf }: Options): Acts {
  const breakpoints = signal<readonly Breakpoint[]>([]);
  const change = async (
    method: string,
    request: { readonly executionId: string; readonly reason?: string },
  ) => {
    const tenant = tenantOf(request.executionId);
    return (await call<{ readonly changed: boolean }>(`FunctionService/${method}`, request, { tenant }))
      .changed;
  };
  const readBreakpoints = async () => {
    const answer = await call<{ readonly breakpoints: readonly BreakpointJson[] }>(
      'NodeService/ListBreakpoints',
      {},
    );
    breakpoints.value = answer.breakpoints.map(breakpointOf);
  };
  return {
    cancel: (executionId, reason) => change('CancelExecution', { executionId, reason }),
    suspend: (executionId) => change('SuspendExecution', { executionId }),
    resume: (executionId) => change('ResumeExecution', { executionId }),
    remove: async (executionId) => {
      await call('FunctionService/DeleteExecution', { executionId }, { tenant: tenantOf(executionId) });
    },
    invocation: async (executionId) => {
      // As the node has it: whoever may change a task.
      const withValues = may('TaskService/RegisterTask');
      const request = { executionId, maxInputBytes, includeEnvironment: withValues };
      const answer = await call<GetInvocationResponseJson>('NodeService/GetInvocation', request);
      return { ...invocationOf(answer), withValues };
    },
    invoke: async ({ input, ...rest }, like) => {
      const request = { ...rest, input: base64Of(input), executionMode: 'EXECUTION_MODE_ASYNC' };
      const tenant = tenantOf(like);
      const answer = await call<{ readonly executionId: string }>('FunctionService/InvokeFunction', request, {
        tenant,
      });
      return answer.executionId;
    },
    restore: async (file, options) => {
      const lines: unknown[] = [{ options }];
      for (let from = 0; from < file.size; from += pieceBytes) {
        const piece = await file.slice(from, from + pieceBytes).arrayBuffer();
        lines.push({ data: base64Of(new Uint8Array(piece)) });
      }
      const answer = await callWithLines<{
        readonly result?: { readonly executionId: string };
        readonly notes: readonly string[];
        readonly signedBy: string;
      }>('SnapshotService/RestoreExecution', lines);
      return { id: answer.result?.executionId ?? '', notes: answer.notes, signedBy: answer.signedBy };
    },
    breakpoints,
    readBreakpoints,
    addBreakpoint: async ({ task, execution, before, once }) => {
      await call('NodeService/SetBreakpoint', { breakpoint: { task, executionId: execution, before, once } });
      await readBreakpoints();
    },
    removeBreakpoint: async (breakpointId) => {
      await call('NodeService/DeleteBreakpoint', { breakpointId });
      await readBreakpoints();
    },
  };
}
