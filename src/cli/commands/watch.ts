import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { refusalFrom, refusalText } from '../../domain/network/refusal.ts';
import { transitionWords } from '../../domain/transition-words.ts';
import {
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../../server/gen/spearlet/function_pb.js';
import { lookOf, type Paint, paintFor } from '../colour.ts';
import { remarks } from '../execution-status.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { followExecution } from '../follow.ts';
import { saysOnLeaving } from '../leaving.ts';
import { LiveLine } from '../live-line.ts';
import { LogStatus, opensLine, stateOf } from '../log-status.ts';
import { errorText, statusText, writeChunk, writeValue } from '../outcome.ts';
import { printable } from '../printable.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';

interface Options {
  readonly from?: number;
}

export function watchCommand(shell: Shell): Command {
  const command = new Command('watch')
    .description("follow an execution's event log: its output as it comes, and what happens on stderr")
    .argument('<id>', 'execution id')
    .option('--from <sequence>', 'the first event wanted; without it all', wholeNumber('--from'));
  onServer<Options>(command, shell, async (session, { from = 1 }, [executionId = '']) => {
    // The first contact: a server that is not there is told at once, one that goes away later is waited for.
    const { result } = await session.functions.getExecutionStatus({ executionId });
    const status = new LogStatus(result);
    const line = new LiveLine(shell, () => status.text(Date.now()));
    const paint = paintFor(shell.err, shell);
    let next = BigInt(from);
    const farewell = (): string =>
      `${executionId} goes on: ${session.command('watch', executionId, '--from', String(next))}`;
    if (!session.json) line.start();
    try {
      await saysOnLeaving(shell, farewell, async () => {
        for await (const event of followExecution(session, { executionId, from: next })) {
          status.take(event);
          await line.aside(() => tell(session, event, paint), opensLine(event));
          next = event.sequence + 1n;
        }
      });
    } finally {
      await line.stop();
    }
    return exitCodes.completed.code;
  });
  return command;
}

async function tell(session: Session, event: StreamExecutionResult, paint: Paint): Promise<void> {
  const { shell } = session;
  if (session.json) return session.printLine(StreamExecutionResultSchema, event);
  if (event.event.case === 'result') await writeValue(shell, event.event.value);
  const text = describe(event);
  if (text === undefined) await writeChunk(shell, event);
  else {
    const { style } = lookOf({ status: event.status, state: stateOf(event) });
    await note(shell, text, (plain) => paint(style, plain));
  }
}

/** One line for an event; undefined for a chunk, whose text is its own. */
function describe({ event, sequence, time, attempt, principal }: StreamExecutionResult): string | undefined {
  const head = `#${sequence} ${time === undefined ? '' : timestampDate(time).toISOString()}`;
  if (event.case === 'result') {
    const { value } = event;
    const words = remarks(value);
    const notes = words.length === 0 ? '' : ` (${words.join(', ')})`;
    return `${head} ${statusText(value.status)}${notes}${value.errorMessage === '' ? '' : `: ${errorText(value)}`}`;
  }
  if (event.case === 'refusal') {
    const { more, ...rest } = event.value;
    const refusal = refusalFrom({ ...rest, more: Number(more) });
    const told = refusal === undefined ? `${rest.host} refused: ${rest.rule}` : refusalText(refusal);
    return `${head} network: ${printable(told)}`;
  }
  if (event.case !== 'transition') return undefined;
  const { to, eventType, reasonCode } = event.value;
  // Who began it is the first line of nearly every log, and mostly the reader.
  const by = principal === '' || eventType === 'admit' ? '' : ` by ${principal}`;
  const cause = [`${eventType}${by}`, reasonCode].filter((each) => each !== '').join(', ');
  const words = transitionWords({ eventType, to, attempt });
  const told = words === '' ? cause : `${cause}: ${words}`;
  return `${head} ${to}${told === '' ? '' : ` (${told})`}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
}
