import { Command } from 'commander';
import { type GetQueueResponse, WatchNodeResponseSchema } from '../../server/gen/spearlet/node_pb.js';
import { paintFor } from '../colour.ts';
import { exitCodes } from '../exit-codes.ts';
import { onServer, type Session } from '../session.ts';
import { note, type Shell } from '../shell.ts';
import { ChangeLines } from '../top/change-lines.ts';
import { followNode, listLive } from '../top/follow-node.ts';
import { frameOf, nodeLine } from '../top/frame.ts';
import { NodeBoard } from '../top/node-board.ts';
import { Screen } from '../top/screen.ts';

interface Options {
  readonly once?: boolean;
  readonly allTenants?: boolean;
}

/** How long a node may be lost. Somebody sits before a screen; a program that reads lines has to be told. */
const screenReconnectMs = Number.POSITIVE_INFINITY;
const linesReconnectMs = 30_000;
const frameMs = 100;
const tickMs = 1000;
/** Of the queue: enough for what holds most of it. */
const queueLines = 100;
/** The longest time without a line where lines are printed. */
const silenceMs = 2000;

export function topCommand(shell: Shell): Command {
  const command = new Command('top')
    .description(
      'follow what runs and waits on a node; q ends it. Elsewhere than on a terminal: a line for each change, and the node again after two quiet seconds',
    )
    .option('--once', 'what there is now, and no more')
    .option('--all-tenants', 'of all tenants; for administrators');
  onServer<Options>(command, shell, async (session, { once = false, allTenants = false }) => {
    if (once) await showOnce(session, allTenants);
    else if (session.json || !shell.out.isTerminal) await printLines(session, allTenants);
    else await drawScreen(session, allTenants);
    return exitCodes.completed.code;
  });
  return command;
}

async function showOnce(session: Session, allTenants: boolean): Promise<void> {
  const { shell } = session;
  const stop = new AbortController();
  for await (const news of session.nodes.watchNode({ allTenants }, { signal: stop.signal })) {
    if (session.json) {
      await session.printLine(WatchNodeResponseSchema, {
        ...news,
        executions: [...(await listLive(session, allTenants))],
      });
    } else {
      const board = new NodeBoard();
      board.take(news, Date.now());
      board.begin(await listLive(session, allTenants));
      const queue = await queueOf(session, allTenants, board);
      const columns = shell.out.isTerminal ? shell.out.columns : Number.POSITIVE_INFINITY;
      const paint = paintFor(shell.out, shell);
      const now = board.nodeTime(Date.now());
      const frame = frameOf(board.node, board.rows(), {
        columns,
        rows: Number.POSITIVE_INFINITY,
        paint,
        now,
        queue,
        notice: '',
      });
      await shell.out.write(`${frame.join('\n')}\n`);
    }
    break;
  }
  stop.abort();
}

/** Undefined where nobody waits, and for who may not see the queue: the rest is told all the same. */
async function queueOf(
  session: Session,
  allTenants: boolean,
  { node }: NodeBoard,
): Promise<GetQueueResponse | undefined> {
  if (node === undefined || node.pending === 0) return undefined;
  return session.nodes.getQueue({ allTenants, maxLines: queueLines }).catch(() => undefined);
}

async function printLines(session: Session, allTenants: boolean): Promise<void> {
  const { shell, address } = session;
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  const lost = (isLost: boolean): Promise<void> =>
    note(shell, isLost ? `lost the server at ${address}; trying to go on` : 'the server is back');
  let told = '';
  let toldAt = performance.now();
  const lines = new ChangeLines();
  try {
    for await (const news of followNode(session, {
      allTenants,
      signal: stop.signal,
      lost,
      reconnectTimeoutMs: linesReconnectMs,
    })) {
      if (session.json) {
        await session.printLine(WatchNodeResponseSchema, news);
        continue;
      }
      for (const line of lines.of(news)) await shell.out.write(`${line}\n`);
      const line = news.node === undefined ? told : `node ${nodeLine(news.node)}`;
      const now = performance.now();
      // Once a second nothing but the time has changed, mostly. But that nobody reads any more, only a write can tell.
      if (line !== told || now - toldAt > silenceMs) {
        await shell.out.write(`${line}\n`);
        toldAt = now;
      }
      told = line;
    }
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}

async function drawScreen(session: Session, allTenants: boolean): Promise<void> {
  const { shell } = session;
  const board = new NodeBoard();
  const paint = paintFor(shell.out, shell);
  const screen = new Screen(shell);
  let notice = '';
  let queue: GetQueueResponse | undefined;
  let dirty = true;
  const draw = async (): Promise<void> => {
    dirty = false;
    const { columns, rows } = shell.out;
    const now = board.nodeTime(Date.now());
    await screen.draw(frameOf(board.node, board.rows(), { columns, rows, paint, now, queue, notice }));
  };
  // The first contact: a server that is not there is told before the terminal is taken.
  await session.nodes.getNode({ allTenants });
  await screen.open(() => void draw().catch(() => undefined));
  const frames = setInterval(() => {
    if (dirty) void draw().catch(() => undefined);
  }, frameMs);
  let asking = false;
  const ticks = setInterval(() => {
    dirty = true;
    if (asking) return;
    asking = true;
    void queueOf(session, allTenants, board)
      .then((told) => {
        queue = told;
      })
      .finally(() => {
        asking = false;
      });
  }, tickMs);
  try {
    const lost = (isLost: boolean): void => {
      notice = isLost ? `lost the server at ${session.address}; trying again` : '';
      board.stale = true;
      dirty = true;
    };
    for await (const news of followNode(session, {
      allTenants,
      signal: screen.signal,
      lost,
      reconnectTimeoutMs: screenReconnectMs,
    })) {
      board.take(news, Date.now());
      if (board.stale) board.begin(await listLive(session, allTenants));
      dirty = true;
    }
  } finally {
    clearInterval(frames);
    clearInterval(ticks);
    await screen.close();
  }
}
