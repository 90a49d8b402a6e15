import { Command } from 'commander';
import { latestInstant } from '../../domain/clock.ts';
import { quote, RequestError } from '../../domain/errors.ts';
import type { ReplayReport, ReplayStep } from '../../replay.ts';
import { exitCodes } from '../exit-codes.ts';
import { wholeNumber } from '../flag.ts';
import { openLocalStream } from '../local-stream.ts';
import { printable, printableJson } from '../printable.ts';
import type { Shell } from '../shell.ts';
import { UsageError } from '../usage-error.ts';

interface Options {
  readonly until?: number;
  readonly json?: boolean;
}

/** Fields of the context that are instants in milliseconds since the epoch. */
const instants = new Set([
  'totalDeadline',
  'startAt',
  'queueDeadline',
  'attemptDeadline',
  'retryAt',
  'stopDeadline',
  'stoppingSince',
  'heldSince',
]);

export function replayCommand(shell: Shell): Command {
  const command = new Command('replay');
  return command
    .description(
      'make the machine of a snapshot again from its log, without a server: each step, and whether the state that comes out is the recorded one',
    )
    .argument('<file>', 'a document that spear snapshot wrote; - is stdin')
    .option('--until <sequence>', 'the last event to replay; without it all', wholeNumber('--until'))
    .option('--json', 'print one JSON document')
    .action(async (file: string, { until, json }: Options) => {
      const report = await replayed(file, until, shell);
      if (until !== undefined && (until < 1 || until > report.lastSequence)) {
        throw new UsageError(
          `--until: is ${until}; allowed is 1 to ${report.lastSequence}, which is the last event in ${quote(file)}`,
        );
      }
      await shell.out.write(
        json === true ? `${printableJson(JSON.stringify(report, null, 2))}\n` : textOf(report),
      );
      if (!report.ok) shell.exitCode = exitCodes.functionError.code;
    });
}

/** Throws a UsageError that names the file. */
async function replayed(file: string, until: number | undefined, shell: Shell): Promise<ReplayReport> {
  if (file === '-' && shell.stdin.isTTY === true) {
    throw new UsageError('stdin: is a terminal; allowed is a file or a pipe');
  }
  // Loaded only here: the other commands need nothing of a machine.
  const { replaySnapshot } = await import('../../replay.ts');
  const input = file === '-' ? await piped(shell) : () => read(file, shell);
  try {
    return await replaySnapshot(input, until);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    throw new UsageError(`FILE ${quote(file)}: ${error.message}`);
  }
}

async function* read(file: string, shell: Shell): AsyncGenerator<Uint8Array> {
  const { bytes } = await openLocalStream('FILE', file, shell);
  yield* bytes;
}

/** Stdin can be read once, and a document is read twice. */
async function piped({ stdin }: Shell): Promise<() => AsyncGenerator<Uint8Array>> {
  const pieces: Buffer[] = [];
  for await (const piece of stdin as AsyncIterable<Buffer>) pieces.push(piece);
  return async function* () {
    yield* pieces;
  };
}

function textOf(report: ReplayReport): string {
  const { executionId, taskName, signedBy, lastSequence, replayedTo, machine, steps, findings } = report;
  const signed = signedBy === '' ? '' : `, signed by ${signedBy}`;
  const lines = [
    `${executionId} of task ${taskName}, events 1 to ${lastSequence}${signed}`,
    ...steps.flatMap(stepLines),
  ];
  if (machine !== undefined) {
    lines.push(
      `after event ${replayedTo} of ${lastSequence}: ${machine.state}, chart version ${machine.chartVersion}`,
    );
  }
  lines.push(...findings.map(({ subject, message }) => `${subject}: ${message}`));
  if (findings.length > 0) lines.push(`${findings.length} findings`);
  else if (replayedTo === lastSequence) lines.push('the record says the same');
  return lines.map((line) => `${line}\n`).join('');
}

function stepLines({
  sequence,
  time,
  attempt,
  from,
  to,
  eventType,
  reasonCode,
  changes,
}: ReplayStep): string[] {
  const way = from === '' ? to : `${from} → ${to}`;
  const cause = [eventType, reasonCode].filter((each) => each !== '').join(', ');
  const head = `#${sequence} ${time} ${way}${cause === '' ? '' : ` (${cause})`}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
  const changed = Object.entries(changes).map(([name, { before, after }]) => {
    const was = before === undefined || before === null ? '' : `${valueText(name, before)} → `;
    return `    ${name}: ${was}${valueText(name, after)}`;
  });
  return [printable(head, 1000), ...changed.map((line) => `    ${printable(line, 1000)}`)];
}

function valueText(name: string, value: unknown): string {
  // The latest instant that there is: it does not count yet.
  if (value === latestInstant) return 'none yet';
  if (typeof value === 'number' && instants.has(name)) return new Date(value).toISOString();
  return JSON.stringify(value) ?? '';
}
