import { timestampDate, timestampMs } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import {
  type ExecutionResult,
  type StreamExecutionResult,
  StreamExecutionResultSchema,
} from '../../server/gen/spearlet/function_pb.js';
import { lookOf, type Paint, paintFor } from '../colour.ts';
import { durationText } from '../duration.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { followExecution } from '../follow.ts';
import { LiveLine } from '../live-line.ts';
import { errorText, statusText, writeChunk, writeValue } from '../outcome.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { sizeText } from '../size.ts';
import { remarks } from '../standing.ts';

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
    const standing = new Standing(result);
    const line = new LiveLine(shell, () => standing.text(Date.now()));
    const paint = paintFor(shell.err, shell);
    if (!session.json) line.start();
    try {
      for await (const event of followExecution(session, { executionId, from: BigInt(from) })) {
        standing.take(event);
        await line.aside(() => tell(session, event, paint), opensLine(event));
      }
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

function stateOf({ event }: StreamExecutionResult): string {
  if (event.case === 'transition') return event.value.to;
  return event.case === 'result' ? event.value.state : '';
}

/** Output that ends in the middle of a line. */
function opensLine({ event }: StreamExecutionResult): boolean {
  return event.case === 'chunk' && event.value.data.at(-1) !== 0x0a;
}

/** Where an execution stands, between two of its events. */
class Standing {
  #state: string;
  /** Unknown while the event that led here has not been among those that were asked for. */
  #since: number | undefined;
  #attempt: number;
  #outputBytes = 0;

  constructor({ state = '', attempt = 0 }: Partial<Pick<ExecutionResult, 'state' | 'attempt'>> = {}) {
    this.#state = state;
    this.#attempt = attempt;
  }

  take(event: StreamExecutionResult): void {
    if (event.event.case === 'chunk') this.#outputBytes += event.event.value.data.length;
    const state = stateOf(event);
    if (state === '' || (state === this.#state && this.#since !== undefined)) return;
    this.#state = state;
    this.#since = event.time === undefined ? undefined : timestampMs(event.time);
    this.#attempt = event.attempt;
  }

  /** `running.attempting for 12 s, attempt 2, 3.2 MiB of output`. */
  text(now: number): string {
    // By two clocks, ours and the server's.
    const age = this.#since === undefined ? '' : ` for ${durationText(Math.max(0, now - this.#since))}`;
    const parts = [`${this.#state}${age}`];
    if (this.#attempt > 1) parts.push(`attempt ${this.#attempt}`);
    if (this.#outputBytes > 0) parts.push(`${sizeText(this.#outputBytes)} of output`);
    return parts.join(', ');
  }
}

/** One line for an event; undefined for a chunk, whose text is its own. */
function describe({ event, sequence, time, attempt }: StreamExecutionResult): string | undefined {
  const head = `#${sequence} ${time === undefined ? '' : timestampDate(time).toISOString()}`;
  if (event.case === 'result') {
    const { value } = event;
    const words = remarks(value);
    const notes = words.length === 0 ? '' : ` (${words.join(', ')})`;
    return `${head} ${statusText(value.status)}${notes}${value.errorMessage === '' ? '' : `: ${errorText(value)}`}`;
  }
  if (event.case !== 'transition') return undefined;
  const { to, eventType, reasonCode } = event.value;
  const cause = [eventType, reasonCode].filter((each) => each !== '').join(', ');
  return `${head} ${to}${cause === '' ? '' : ` (${cause})`}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
}
