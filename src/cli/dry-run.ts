import { durationMs } from '@bufbuild/protobuf/wkt';
import {
  type DryRun,
  DryRunVerdict,
  ExecutionMode,
  InvokeFunctionResponseSchema,
} from '../server/gen/spearlet/function_pb.js';
import { durationText } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { gateText } from './gate-text.ts';
import type { Request } from './modes.ts';
import { printable } from './printable.ts';
import type { Session } from './session.ts';
import { account } from './table.ts';

/** Says what would become of a request, and runs nothing. What would be refused rejects as the request itself would. */
export async function dryRun(
  session: Session,
  request: Request,
  mode: 'sync' | 'async' | 'stream',
): Promise<number> {
  const executionMode = mode === 'async' ? ExecutionMode.ASYNC : ExecutionMode.SYNC;
  const answer = await session.functions.invokeFunction({ ...request, executionMode, dryRun: true });
  if (session.json) await session.printDocument(InvokeFunctionResponseSchema, answer);
  else if (answer.dryRun !== undefined) await session.shell.out.write(describe(answer.dryRun));
  return exitCodes.completed.code;
}

function describe(answer: DryRun): string {
  const { verdict, summary, details, queuePlace, queueLength, gate, heldBy, startsIn, endsIn } = answer;
  const lines = details.map((detail) => `- ${printable(detail, 2000)}\n`).join('');
  const entries: [string, string][] = [];
  if (queuePlace > 0n) entries.push(['queue', `place ${queuePlace} of ${queueLength}`]);
  if (gate !== undefined) entries.push(['gate', printable(gateText(gate), 500)]);
  for (const [index, id] of heldBy.entries()) entries.push([index === 0 ? 'held by' : '', id]);
  const ends = verdict === DryRunVerdict.JOIN || verdict === DryRunVerdict.CACHED;
  if (!ends && startsIn !== undefined && endsIn !== undefined) {
    entries.push(
      ['likely starts', `in ${durationText(durationMs(startsIn))}`],
      ['likely ends', `in ${durationText(durationMs(endsIn))}`],
    );
  }
  return `${printable(summary, 2000)}\n${lines}${entries.length === 0 ? '' : `\n${account(entries)}`}`;
}
