import { type Timestamp, timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  type ExplainExecutionResponse,
  ExplainExecutionResponseSchema,
} from '../../server/gen/spearlet/node_pb.js';
import { statusWords } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { gateText } from '../gate-text.ts';
import { printable } from '../printable.ts';
import { onServer, type Session } from '../session.ts';
import type { Shell } from '../shell.ts';
import { account } from '../table.ts';

export function explainCommand(shell: Shell): Command {
  const command = new Command('explain')
    .description('say why an execution is where it is: what it waits for, who holds that, and how it goes on')
    .argument('<id>', 'execution id');
  onServer(command, shell, async (session, _options, [executionId = '']) => {
    const answer = await session.nodes.explainExecution({ executionId });
    if (session.json) await session.printDocument(ExplainExecutionResponseSchema, answer);
    else await shell.out.write(describe(session, answer));
    return exitCodes.completed.code;
  });
  return command;
}

/** The sentence, and what there is more of it, a line each. */
function describe(session: Session, answer: ExplainExecutionResponse): string {
  const entries: [string, string][] = [['execution', `${answer.executionId}: ${statusWords(answer)}`]];
  if (answer.queuePlace > 0n) entries.push(['queue', `place ${answer.queuePlace} of ${answer.queueLength}`]);
  if (answer.gate !== undefined) entries.push(['gate', printable(gateText(answer.gate), 500)]);
  for (const [index, id] of answer.heldBy.entries()) entries.push([index === 0 ? 'held by' : '', id]);
  const instant = (name: string, time: Timestamp | undefined): void => {
    if (time !== undefined) entries.push([name, timestampDate(time).toISOString()]);
  };
  instant('goes on', answer.goesOnAt);
  instant('ends', answer.endsAt);
  const lines = answer.details.map((detail) => `- ${printable(pasteable(session, detail), 2000)}\n`).join('');
  return `${printable(answer.summary, 2000)}\n${lines}\n${account(entries)}`;
}

/** The commands in a sentence, which the node writes as `spear WORD ID`, so that they reach this server. */
function pasteable({ command }: Session, detail: string): string {
  return detail.replace(/`spear ([a-z]+) ([a-z0-9_]+)`/g, (_, word: string, id: string) => {
    return `\`${command(word, id)}\``;
  });
}
