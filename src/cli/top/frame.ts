/** A node as lines of text, no wider than the terminal. Pure. */
import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { quote } from '../../domain/errors.ts';
import { type ExecutionResult, ExecutionStatus } from '../../server/gen/spearlet/function_pb.js';
import type {
  GetQueueResponse,
  NodeResources,
  NodeView,
  QueueClass,
} from '../../server/gen/spearlet/node_pb.js';
import { lookOf, type Paint } from '../colour.ts';
import { durationText } from '../duration.ts';
import { statusText } from '../outcome.ts';
import { printable } from '../printable.ts';
import { sizeText } from '../size.ts';

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  /** The node's clock, in milliseconds since the epoch. */
  readonly now: number;
  /** Who waits for a slot; absent where that is not known, or nobody does. */
  readonly queue?: GetQueueResponse | undefined;
  /** Said at the top: that the connection is lost, or the like. */
  readonly notice: string;
}

const widths = { state: 21, attempt: 3, age: 12, run: 12, id: 31 };
/** The node, the counts, a blank line, the heading, and the last line. */
const otherLines = 5;

export function frameOf(
  node: NodeView | undefined,
  rows: readonly ExecutionResult[],
  options: FrameOptions,
): readonly string[] {
  const { columns, paint, notice, now, queue } = options;
  const queueLines = queue === undefined || queue.waiting === 0n ? [] : [cut(queueText(queue), columns)];
  const room = Math.max(1, options.rows - otherLines - queueLines.length);
  const shown = rows.slice(0, rows.length > room ? room - 1 : room);
  const lines = [
    notice === '' ? paint('bold', cut(nodeLine(node, now), columns)) : paint('red', cut(notice, columns)),
    cut(countLine(node), columns),
    ...queueLines,
    '',
    paint('bold', cut(heading(columns), columns)),
    ...shown.map((row) => rowLine(row, options)),
  ];
  if (rows.length === 0) lines.push(paint('gray', cut('nothing runs and nothing waits', columns)));
  if (shown.length < rows.length)
    lines.push(paint('gray', cut(`and ${rows.length - shown.length} more`, columns)));
  return lines;
}

/** `spear 0.1.0  serving, up 2 h 5 min  3 of 8 slots  12 pending`; without its age where `now` is not given. */
export function nodeLine(node: NodeView | undefined, now?: number): string {
  if (node === undefined) return 'spear';
  const { version, state, startedAt, running, slots, pending, storeFault } = node;
  const parts = [
    `spear ${version}`,
    startedAt === undefined || now === undefined
      ? state
      : `${state}, up ${durationText(Math.max(0, now - timestampMs(startedAt)))}`,
    `${running} of ${slots} slots`,
    `${pending} pending`,
    ...resourceTexts(node.resources),
    ...(storeFault === '' ? [] : [storeFault]),
  ];
  return printable(parts.join('  '));
}

/** `2.5 GiB of 4 GiB memory`, of what is bounded. */
function resourceTexts(resources: NodeResources | undefined): string[] {
  if (resources === undefined) return [];
  const { memoryReserved, memoryTotal, processorsReserved, processorsTotal } = resources;
  return [
    ...(memoryTotal === undefined
      ? []
      : [`${sizeText(Number(memoryReserved))} of ${sizeText(Number(memoryTotal))} memory`]),
    ...(processorsTotal === undefined
      ? []
      : [`${Number(processorsReserved.toFixed(2))} of ${processorsTotal} processors`]),
  ];
}

function countLine(node: NodeView | undefined): string {
  const counts = node?.counts ?? [];
  return counts
    .filter(({ status, count }) => count > 0n || status === ExecutionStatus.COMPLETED)
    .map(({ status, count }) => `${statusText(status)} ${count}`)
    .join('  ');
}

/** `queue: 12 waiting, the first for 3 min; 10 of them held, 8 by concurrency metadata.user "ann"` */
function queueText({ waiting, held, lines, time }: GetQueueResponse): string {
  const firsts = lines.flatMap(({ nextSince }) => (nextSince === undefined ? [] : [timestampMs(nextSince)]));
  const longest = Math.max(0, (time === undefined ? 0 : timestampMs(time)) - Math.min(...firsts));
  const text = `queue: ${waiting} waiting${firsts.length === 0 ? '' : `, the first for ${durationText(longest)}`}`;
  if (held === 0n) return text;
  const most = lines
    .flatMap(({ classes }) => classes)
    .filter(({ gate }) => gate !== undefined)
    .reduce<QueueClass | undefined>((a, b) => (a === undefined || b.waiting > a.waiting ? b : a), undefined);
  if (most?.gate === undefined) return `${text}; ${held} of them held`;
  const { kind, key, value } = most.gate;
  const by = [kind, key, value === '' ? '' : quote(value)].filter((part) => part !== '').join(' ');
  return printable(`${text}; ${held} of them held, ${most.waiting} by ${by}`, 500);
}

function heading(columns: number): string {
  return cells(['  STATE', 'TRY', 'AGE', 'RUN', 'EXECUTION', 'TASK'], columns);
}

function rowLine(row: ExecutionResult, { columns, paint, now }: FrameOptions): string {
  const { style, mark } = lookOf(row);
  const of = (time: Timestamp | undefined): string =>
    time === undefined ? '-' : durationText(Math.max(0, now - timestampMs(time)));
  const task = row.functionName === '' ? row.taskName : `${row.taskName} ${row.functionName}`;
  const line = cells(
    [
      `${mark} ${row.state}`,
      row.attempt === 0 ? '-' : String(row.attempt),
      of(row.createdAt),
      of(row.startedAt),
      row.executionId,
      printable(task),
    ],
    columns,
  );
  const cutLine = cut(line, columns);
  return paint(style, cutLine.slice(0, widths.state + 2)) + cutLine.slice(widths.state + 2);
}

function cells(
  [state = '', attempt = '', age = '', run = '', id = '', task = '']: string[],
  columns: number,
): string {
  const head = state.padEnd(widths.state + 2);
  const tail = `${id.padEnd(widths.id)}  ${task}`;
  const tries = `${attempt.padStart(widths.attempt)}  `;
  // The narrower the terminal, the fewer the numbers; the id is what can be copied, the task what is known by heart.
  if (columns < 72) return `${head}${tail}`;
  if (columns < 92) return `${head}${tries}${tail}`;
  if (columns < 104) return `${head}${tries}${age.padEnd(widths.age)}${tail}`;
  return `${head}${tries}${age.padEnd(widths.age)}${run.padEnd(widths.run)}${tail}`;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text.trimEnd() : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
