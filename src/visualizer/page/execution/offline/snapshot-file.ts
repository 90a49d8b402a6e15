/**
 * A snapshot document: `{"spearSnapshot":1,"parts":[`, a part on each line, a seal, `]}`. What it is, src/domain/snapshot
 * says; here it is read to be shown, not to be restored, so that only what is shown is looked at.
 */
import type { NewEvent } from '../../../../domain/event.ts';
import type { ExecutionRecord } from '../../../../domain/execution.ts';
import type { InvocationPart, Seal, TaskPart } from '../../../../domain/snapshot/parts.ts';
import { EventLog } from '../../model/event-log.ts';
import type { ExecutionRow } from '../../model/execution-row.ts';
import { type LogEvent, refusalWords } from '../../model/log-event.ts';
import { bytesOf } from '../../model/scalar.ts';
import type { Document } from './document.ts';
import type { FileLine } from './file-lines.ts';
import { objectOf } from './parsed.ts';
import { recordRow } from './record-row.ts';
import { checkSeal } from './seal.ts';
import { taskOfPart } from './snapshot-task.ts';
import { UnreadableFile } from './unreadable-file.ts';

const opening = /^\{"spearSnapshot":(\d{1,9}),"parts":\[$/;
/** Envelopes that this page reads. */
const known = ['1'];
/** Of an input, for showing. */
const maxInput = 1024 * 1024;

export function isSnapshot(first: string): boolean {
  return first.startsWith('{"spearSnapshot"');
}

/** `file` is the whole document, to hold its seal against. */
export async function readSnapshot(
  first: FileLine,
  rest: AsyncIterable<FileLine>,
  file: Blob,
): Promise<Document> {
  const version = opening.exec(first.text)?.[1];
  if (version === undefined)
    throw new UnreadableFile('it is a snapshot that was reformatted: open it as it was written');
  if (!known.includes(version)) {
    throw new UnreadableFile(`it is a snapshot of version ${version}; this page reads ${known.join(', ')}`);
  }
  let takenAt = 0;
  let row: ExecutionRow | undefined;
  let task: TaskPart | undefined;
  let invocation: InvocationPart['invocation'] | undefined;
  let inputBytes = 0;
  const input: Uint8Array[] = [];
  const log = new EventLog();
  for await (const line of rest) {
    if (line.text === ']}' || line.text === '') continue;
    const part = objectOf({ text: line.text.replace(/,$/, ''), number: line.number });
    switch (part.kind) {
      case 'header':
        if (typeof part.takenAt === 'number') takenAt = part.takenAt;
        break;
      case 'record':
        row = recordRow(part.record as ExecutionRecord, takenAt);
        break;
      case 'task':
        task = part as unknown as TaskPart;
        break;
      case 'invocation':
        invocation = part.invocation as InvocationPart['invocation'];
        break;
      case 'input':
        if (inputBytes < maxInput) input.push(bytesOf(String(part.data)));
        inputBytes += input.at(-1)?.byteLength ?? 0;
        break;
      case 'events':
        if (row === undefined) throw new UnreadableFile(`line ${line.number} has events before the record`);
        log.append(eventsOf(part.events, row, line.number));
        break;
      case 'seal': {
        if (row === undefined) throw new UnreadableFile('it has no record');
        const shown = invocation && {
          ...invocation,
          input: await joined(input),
          environment: told(invocation.environment),
        };
        const seal = { ...part, sha256: String(part.sha256) } as Seal;
        const { fault, signature } = await checkSeal(file, line.offset, seal);
        return { row, log, invocation: shown, task: task && taskOfPart(task), signature, fault };
      }
      default:
        // A machine, an artifact: nothing of them is shown, and a later version may have more.
        break;
    }
  }
  throw new UnreadableFile('it was cut off: the seal is missing');
}

/** An event as a document writes it: its kind is `type`, and bytes are base64. */
type Written = Omit<NewEvent, 'kind'> & { readonly type: string; readonly [name: string]: unknown };

function eventsOf(list: unknown, row: ExecutionRow, line: number): readonly LogEvent[] {
  if (!Array.isArray(list)) throw new UnreadableFile(`line ${line} has no list of events`);
  return (list as Written[]).map((written): LogEvent => {
    const { sequence, time, status, attempt, by } = written;
    const head = {
      ...{ sequence, position: 0, time, status, attempt },
      ...(by !== undefined && { principal: by }),
    };
    switch (written.type) {
      case 'transition': {
        const { from, to, eventType, reasonCode, contextPatch, chartVersion } = written as unknown as Extract<
          NewEvent,
          { kind: 'transition' }
        >;
        return {
          ...head,
          kind: 'transition',
          transition: { from, to, eventType, reasonCode, contextPatch, chartVersion },
        };
      }
      case 'chunk': {
        const stream = written.stream === 'stderr' ? 'stderr' : 'stdout';
        return { ...head, kind: 'chunk', chunk: { stream, data: bytesOf(String(written.data)) } };
      }
      case 'refusal':
        return {
          ...head,
          kind: 'refusal',
          text: refusalWords(written as Parameters<typeof refusalWords>[0]),
        };
      case 'result':
        return { ...head, kind: 'result', result: row };
      default:
        throw new UnreadableFile(`line ${line} has an event of a kind that is not known`);
    }
  });
}

function told(environment: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, value ?? '(left out)']),
  );
}

async function joined(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob([...parts] as BlobPart[]).arrayBuffer());
}
