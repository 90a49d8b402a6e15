/** The three ways to watch what was invoked. */
import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { type FollowOptions, followExecution } from '../client/follow.ts';
import {
  ErrorCode,
  ExecutionMode,
  ExecutionStatus,
  type InvokeFunctionRequestSchema,
  type InvokeFunctionResponse,
  InvokeFunctionResponseSchema,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
  type WaitExecutionResponse,
} from '../server/gen/spearlet/function_pb.js';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import type { Interrupt } from './interrupt.ts';
import { LiveLine } from './live-line.ts';
import { LogStatus, opensLine } from './log-status.ts';
import { errorText, noteOutcome, writeChunk, writeOutput, writeValue } from './outcome.ts';
import { reattachmentTo } from './reattach.ts';
import type { Session } from './session.ts';
import { note } from './shell.ts';
import { waitForOutcome } from './waiting.ts';

export type Request = MessageInitShape<typeof InvokeFunctionRequestSchema>;

/**
 * Milliseconds until the first call of sync mode answers: short, because only its answer tells the execution's id,
 * by which a Ctrl-C cancels it and a wait goes on over a new connection.
 */
const firstAnswerMs = 250;

/** Waits for the outcome and prints it. Resolves with the exit code, as the two others do. */
export async function invokeSync(
  session: Session,
  request: Request,
  budgetMs: number | undefined,
  interrupt: Interrupt,
): Promise<number> {
  const { signal } = interrupt;
  let answer = await session.functions.invokeFunction(
    {
      ...request,
      executionMode: ExecutionMode.SYNC,
      // To cancel on a disconnect is the creating call's alone, so that call has to stay.
      ...(request.cancelOnDisconnect !== true && {
        waitBudget: durationFromMs(Math.min(budgetMs ?? firstAnswerMs, firstAnswerMs)),
      }),
    },
    { signal },
  );
  const { executionId } = answer;
  interrupt.knows(executionId);
  if (answer.result?.isCompleted !== true) {
    if (showsOutputLive(session)) return printEvents(session, { executionId }, interrupt);
    const wait = {
      executionId,
      signal,
      ...(answer.result !== undefined && { first: answer.result }),
      ...(budgetMs !== undefined && { callMs: budgetMs }),
    };
    answer = completed(answer, await waitForOutcome(session, wait));
  }
  const { result } = answer;
  if (result === undefined) return exitCodes.platform.code;
  if (session.json) {
    await session.printDocument(InvokeFunctionResponseSchema, answer);
  } else {
    await writeOutput(session, result);
    await noteOutcome(session.shell, result);
  }
  return exitCodeOf(result);
}

/** The answer to the invocation as it had been, had its call waited to the end. */
function completed(answer: InvokeFunctionResponse, wait: WaitExecutionResponse): InvokeFunctionResponse {
  const { result, statusEndpoint, estimatedCompletionMs, lastSequence } = wait;
  if (result === undefined) return answer;
  return {
    ...answer,
    success: result.status === ExecutionStatus.COMPLETED,
    message: result.errorCode === ErrorCode.UNSPECIFIED ? 'completed' : errorText(result),
    instanceId: result.instanceId,
    result,
    statusEndpoint,
    estimatedCompletionMs,
    lastSequence,
  };
}

/** Prints the id as soon as the admission is durable. */
export async function invokeAsync(
  session: Session,
  request: Request,
  { signal }: Interrupt,
): Promise<number> {
  const answer = await session.functions.invokeFunction(
    { ...request, executionMode: ExecutionMode.ASYNC },
    { signal },
  );
  if (session.json) await session.printDocument(InvokeFunctionResponseSchema, answer);
  else await session.shell.out.write(`${answer.executionId}\n`);
  return exitCodes.completed.code;
}

/** Prints the output as it comes. */
export async function invokeStream(
  session: Session,
  request: Request,
  interrupt: Interrupt,
): Promise<number> {
  const first = session.functions.streamFunction(
    { ...request, executionMode: ExecutionMode.STREAM },
    { signal: interrupt.signal },
  );
  return printEvents(session, { first }, interrupt);
}

/** A person looks on: what comes is shown as it comes, whatever the mode. */
export function showsOutputLive({ shell, json }: Session): boolean {
  return shell.out.isTerminal && !json;
}

/** Prints output as it comes and, on a terminal while nothing does, how the execution stands. */
async function printEvents(
  session: Session,
  events: Pick<FollowOptions, 'first' | 'executionId'>,
  interrupt: Interrupt,
): Promise<number> {
  const { shell, json } = session;
  let id = events.executionId;
  let code: number = exitCodes.platform.code;
  let attempt = 1;
  const status = new LogStatus();
  const line = new LiveLine(shell, () => [id, status.text(Date.now())].filter(Boolean).join(' '));
  const print = async (event: StreamExecutionResult): Promise<void> => {
    if (json) return session.printLine(StreamExecutionResultSchema, event);
    if (event.attempt > attempt) {
      attempt = event.attempt;
      await note(shell, `attempt ${attempt}`);
    }
    await writeChunk(shell, event);
    if (event.event.case !== 'result') return;
    await writeValue(shell, event.event.value);
    await noteOutcome(shell, event.event.value);
  };
  if (!json) line.start();
  try {
    const { signal } = interrupt;
    const follow = {
      ...events,
      signal,
      reattachmentTo: (executionId: string) => reattachmentTo(session, executionId, signal),
    };
    for await (const event of followExecution(session.functions, follow)) {
      id = event.executionId;
      interrupt.knows(id);
      status.take(event);
      if (event.event.case === 'result') code = exitCodeOf(event.event.value);
      await line.aside(() => print(event), opensLine(event));
    }
  } finally {
    await line.stop();
  }
  return code;
}
