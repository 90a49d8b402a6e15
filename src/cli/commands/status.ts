import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { isServiceError } from '../../client/rpc-details.ts';
import { defaultTenant } from '../../domain/scope.ts';
import { traceLink } from '../../domain/trace-link.ts';
import {
  ErrorCode,
  ErrorOrigin,
  ExecutionMode,
  type ExecutionResult,
  type GetExecutionStatusResponse,
  GetExecutionStatusResponseSchema,
  type RelatedExecution,
} from '../../server/gen/spearlet/function_pb.js';
import type { GetInvocationResponse } from '../../server/gen/spearlet/node_pb.js';
import type { WebhookDelivery } from '../../server/gen/spearlet/webhook_pb.js';
import { deliveryText } from '../delivery-text.ts';
import { durationText } from '../duration.ts';
import { isHeld, statusWords } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { invocationEntries, outputEntries, shownBytes } from '../invocation-text.ts';
import { errorText } from '../outcome.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { sizeText } from '../size.ts';
import { account } from '../table.ts';

export function statusCommand(shell: Shell): Command {
  const command = new Command('status')
    .description('show an execution as it is now')
    .argument('<id>', 'execution id');
  onServer(command, shell, async (session, _options, [executionId = '']) => {
    const answer = await session.functions.getExecutionStatus({
      executionId,
      includeOutput: true,
      ...(!session.json && { maxInlineBytes: shownBytes }),
    });
    if (session.json) await session.printDocument(GetExecutionStatusResponseSchema, answer);
    else {
      const [invocation, link, deliveries] = await Promise.all([
        invocationOf(session, executionId),
        traceLinkOf(session, answer.result?.traceId ?? ''),
        deliveriesOf(session, answer.result),
      ]);
      await shell.out.write(describe(session, answer, invocation, link, deliveries));
    }
    return exitCodes.completed.code;
  });
  return command;
}

function describe(
  session: Session,
  { result, lastSequence, estimatedCompletionMs, dependencies, dependants, node }: GetExecutionStatusResponse,
  invocation: GetInvocationResponse | undefined,
  link: string | undefined,
  deliveries: readonly WebhookDelivery[],
): string {
  if (result === undefined) return '';
  const entries: [string, string][] = [];
  if (result.errorCode !== ErrorCode.UNSPECIFIED)
    entries.push(['error', `${errorText(result)} (${origin(result)})`]);
  entries.push(['status', statusWords(result)], ['execution', result.executionId], ...tenantEntries(result), [
    'task',
    `${result.taskName} (${result.taskId}, revision ${result.taskRevision}${result.alias === '' ? '' : ` by ${result.alias}`})`,
  ]);
  if (result.functionName !== '') entries.push(['function', result.functionName]);
  if (invocation !== undefined) entries.push(...invocationEntries(invocation));
  entries.push(...outputEntries(result));
  for (const each of dependencies) entries.push(['follows', relatedText(each)]);
  for (const each of dependants) entries.push(['followed by', relatedText(each)]);
  if (result.cachedFromExecutionId !== '') entries.push(['result of', result.cachedFromExecutionId]);
  if (result.originExecutionId !== '') entries.push(['restored from', result.originExecutionId]);
  if (result.rerunOfExecutionId !== '') entries.push(['runs again', result.rerunOfExecutionId]);
  entries.push(
    ['mode', (ExecutionMode[result.mode] ?? '').toLowerCase()],
    ['attempt', String(result.attempt)],
  );
  if (node !== '') entries.push(['node', node]);
  if (result.recoveries > 0) entries.push(['recoveries', String(result.recoveries)]);
  if (result.exitCode !== undefined) entries.push(['exit code', String(result.exitCode)]);
  entries.push(...times(result));
  if (isHeld(result)) entries.push(['held', `until ${session.command('resume', result.executionId)}`]);
  else if (!result.isCompleted)
    entries.push(['estimate', `done in ${durationText(Number(estimatedCompletionMs))}`]);
  for (const delivery of deliveries) entries.push(['webhook', deliveryText(delivery)]);
  if (!result.isCompleted && result.webhooks > 0) {
    entries.push(['webhooks', `${result.webhooks}, told of its end`]);
  }
  if (result.traceId !== '') entries.push(['trace', result.traceId]);
  if (link !== undefined) entries.push(['', link]);
  entries.push(...resources(result), ['log', logText(session, result, lastSequence)]);
  for (const line of result.loosened) entries.push(['allows', line]);
  for (const [name, value] of Object.entries(result.labels)) entries.push(['label', `${name}=${value}`]);
  for (const [name, value] of Object.entries(result.metadata)) entries.push(['metadata', `${name}=${value}`]);
  return account(entries);
}

function relatedText({ executionId, taskName, status, state }: RelatedExecution): string {
  if (state === '') return `${executionId} (deleted)`;
  return `${executionId} (${taskName}: ${statusWords({ status, state })})`;
}

/** The default one is that of everybody who has no other. */
function tenantEntries({ tenant }: ExecutionResult): [string, string][] {
  return tenant === '' || tenant === defaultTenant ? [] : [['tenant', tenant]];
}

/** A log whose beginning is gone is watched from where it begins. */
function logText(
  { command }: Session,
  { executionId, oldestSequence }: ExecutionResult,
  lastSequence: bigint,
): string {
  return oldestSequence > 1n
    ? `events ${oldestSequence} to ${lastSequence}: ${command('watch', executionId, '--from', String(oldestSequence))}`
    : `${lastSequence} ${lastSequence === 1n ? 'event' : 'events'}: ${command('watch', executionId)}`;
}

function origin({ errorOrigin }: ExecutionResult): string {
  const words = {
    [ErrorOrigin.USER]: 'the function',
    [ErrorOrigin.POLICY]: 'a limit or request',
    [ErrorOrigin.PLATFORM]: 'the platform',
  };
  return errorOrigin === ErrorOrigin.UNSPECIFIED ? 'unknown' : words[errorOrigin];
}

function times(result: ExecutionResult): [string, string][] {
  const entries: [string, string][] = [];
  const instant = (name: string, time: Timestamp | undefined, note: string): void => {
    if (time !== undefined) entries.push([name, timestampDate(time).toISOString() + note]);
  };
  const ran = `, ran for ${durationText(result.executionTimeMs)}`;
  instant('created', result.createdAt, '');
  instant(
    'started',
    result.startedAt,
    `, after ${durationText(Number(result.queueTimeMs))}${result.isCompleted ? '' : ran}`,
  );
  instant('completed', result.completedAt, result.startedAt === undefined ? '' : ran);
  return entries;
}

function resources({ outputBytes, resourceUse }: ExecutionResult): [string, string][] {
  // A typed function's value is no output.
  const entries: [string, string][] =
    outputBytes === 0n ? [] : [['output', `${sizeText(Number(outputBytes))} in the log`]];
  if (resourceUse === undefined) return entries;
  const { cpuTimeUs, peakMemoryBytes, droppedBytes } = resourceUse;
  if (peakMemoryBytes > 0n) entries.push(['memory', `${sizeText(Number(peakMemoryBytes))} at most`]);
  if (cpuTimeUs > 0n) entries.push(['cpu', durationText(Number(cpuTimeUs) / 1000)]);
  if (droppedBytes > 0n) entries.push(['dropped', `${sizeText(Number(droppedBytes))} after the end`]);
  return entries;
}

/** Who is told of its end; none where the server does not tell, as one from before the call. */
async function deliveriesOf(
  session: Session,
  result: ExecutionResult | undefined,
): Promise<readonly WebhookDelivery[]> {
  if (result?.isCompleted !== true || result.webhooks === 0) return [];
  try {
    const { executionId } = result;
    return (await session.webhooks.listDeliveries({ executionId })).deliveries;
  } catch (error) {
    if (isServiceError(error)) return [];
    throw error;
  }
}

/** Where its trace can be seen; undefined where the server does not tell. */
async function traceLinkOf(session: Session, traceId: string): Promise<string | undefined> {
  if (traceId === '') return undefined;
  try {
    const { node } = await session.nodes.getNode({});
    return traceLink(node?.traceUrl ?? '', traceId);
  } catch (error) {
    if (isServiceError(error)) return undefined;
    throw error;
  }
}

/** What it was asked to run; undefined where the server does not tell, as one from before the call. */
async function invocationOf(
  session: Session,
  executionId: string,
): Promise<GetInvocationResponse | undefined> {
  try {
    return await session.nodes.getInvocation({ executionId, maxInputBytes: shownBytes });
  } catch (error) {
    if (isServiceError(error)) return undefined;
    throw error;
  }
}
