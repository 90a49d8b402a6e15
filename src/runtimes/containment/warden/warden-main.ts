/**
 * Stops what a node runs where others may take the node for dead, and lets it go on when the node has been heard again.
 * It is a process of its own, with a clock of its own: it acts also while the node hangs.
 *
 * - What is in cgroups is frozen by them where they can (version 2), else each process is stopped.
 * - What has stood still for longer than the grace is ended. Others may have it by then; where they have not, the node
 *   goes on when it is heard again, and is watched as before.
 * - When the node dies, its watchdog ends what is in cgroups. Containers live on: they are stopped in time, and ended
 *   where no next run of the node has come for them.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createInterface } from 'node:readline';
// Types alone: the node runs the text of this file, see warden.ts.
import type { FromWarden, ToWarden, WardenOrder } from './warden-protocol.ts';

const order = JSON.parse(process.argv.at(-1) ?? '') as WardenOrder;
/** What starts while the rest is stopped is found again. */
const againMs = 50;
/** After so long all of it stands still, and is looked at seldom: many wardens would take the processors from the store. */
const settledMs = 500;
const seldomMs = 1000;
const containersAgainMs = 1000;
/** Processes that start others while they are stopped one by one are stopped after so many rounds. */
const mostRounds = 100;
const engineMs = 2000;

let until = Number.POSITIVE_INFINITY;
let frozenSince: number | undefined;
/** What stands still is being ended, or was, and the node has not been heard since. */
let hasBegunToEnd = false;
let isOver = false;
/** Nothing may go on any more. */
let isEnding = false;
let nodeIsGone = false;
let timer: NodeJS.Timeout | undefined;
const stopped = new Set<number>();
const paused = new Set<string>();
let isPausing = false;
let ending: Promise<void> | undefined;

function now(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

function tell(word: FromWarden): void {
  if (!nodeIsGone) process.stdout.write(`${word}\n`);
}

/** Folders of instances. */
function cells(): string[] {
  return order.cells.flatMap((folder) => {
    try {
      return readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map(({ name }) => `${folder}/${name}`);
    } catch {
      return [];
    }
  });
}

function processesIn(cell: string): number[] {
  try {
    const lines = readFileSync(`${cell}/cgroup.procs`, 'utf8').split('\n');
    // 0 stands for one in a namespace that cannot be seen from here.
    return lines.filter((line) => line !== '' && line !== '0').map(Number);
  } catch {
    return [];
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

function setFreeze(cell: string, isFrozen: boolean): boolean {
  const file = `${cell}/cgroup.freeze`;
  if (!existsSync(file)) return false;
  try {
    writeFileSync(file, isFrozen ? '1' : '0');
    return true;
  } catch {
    return false;
  }
}

function freezeProcesses(): void {
  const others = cells().filter((cell) => !setFreeze(cell, true));
  for (let round = 0; round < mostRounds; round++) {
    const found = [...new Set(others.flatMap(processesIn))].filter((pid) => !stopped.has(pid));
    if (found.length === 0) return;
    for (const pid of found) {
      signal(pid, 'SIGSTOP');
      stopped.add(pid);
    }
  }
}

function thawProcesses(): void {
  for (const cell of cells()) setFreeze(cell, false);
  for (const pid of stopped) signal(pid, 'SIGCONT');
  stopped.clear();
}

/** Those that stand still die without going on. */
function endProcesses(): void {
  for (let round = 0; round < mostRounds; round++) {
    const found = new Set(cells().flatMap(processesIn));
    if (found.size === 0) return;
    for (const pid of found) signal(pid, 'SIGKILL');
  }
}

function engine(method: string, path: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const call = request(
    { socketPath: order.containers?.socket ?? '', method, path, timeout: engineMs },
    (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
      });
      answer.on('end', () => resolve(text));
      answer.on('error', reject);
    },
  );
  call.on('timeout', () => call.destroy(new Error('the engine does not answer')));
  call.on('error', reject);
  call.end();
  return promise;
}

async function containers(status: string): Promise<string[]> {
  const { label } = order.containers ?? {};
  if (label === undefined) return [];
  const filters = encodeURIComponent(JSON.stringify({ label: [label], status: [status] }));
  const found = JSON.parse(await engine('GET', `/containers/json?all=1&filters=${filters}`)) as {
    Id: string;
  }[];
  return found.map(({ Id }) => Id);
}

/** An engine that does not answer has no say: what it runs is asked for again. */
async function eachContainer(ids: Iterable<string>, method: string, path: string): Promise<void> {
  await Promise.allSettled([...ids].map((id) => engine(method, `/containers/${id}${path}`)));
}

async function freezeContainers(): Promise<void> {
  const running = await containers('running').catch(() => []);
  for (const id of running) paused.add(id);
  await eachContainer(running, 'POST', '/pause');
  if (frozenSince === undefined) await thawContainers();
}

async function thawContainers(): Promise<void> {
  const ours = [...paused];
  paused.clear();
  await eachContainer(ours, 'POST', '/unpause');
}

function freeze(): void {
  const isFirst = frozenSince === undefined;
  frozenSince ??= now();
  freezeProcesses();
  if (order.containers !== undefined && !isPausing) {
    isPausing = true;
    // One after the other, and not at once again: an engine that is slow would be asked ever more.
    void freezeContainers().finally(() => {
      setTimeout(() => {
        isPausing = false;
      }, containersAgainMs);
    });
  }
  if (isFirst) tell('frozen');
}

async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  clearTimeout(timer);
  await endAll();
  if (nodeIsGone) process.exit();
}

/** Ends all that there is; again for what a node has started since. */
async function endAll(): Promise<void> {
  // The node hears of it before it can see an end.
  if (!hasBegunToEnd) tell('ending');
  hasBegunToEnd = true;
  endProcesses();
  if (isOver) return;
  ending ??= endContainers().finally(() => {
    ending = undefined;
  });
  await ending;
}

async function endContainers(): Promise<void> {
  const [running, still] = await Promise.all([
    containers('running').catch(() => []),
    containers('paused').catch(() => []),
  ]);
  // Meanwhile the node was heard: what runs now is what it has started since.
  if (!hasBegunToEnd) return;
  await eachContainer([...running, ...still], 'DELETE', '?force=true');
  isOver = hasBegunToEnd;
  tell('ended');
}

/** Nothing that it could stop or end outlives the node then. */
async function exitWithoutContainers(): Promise<void> {
  const left = await Promise.all([containers('running'), containers('paused')]).catch(() => []);
  if (left.flat().length === 0) process.exit();
}

function look(): void {
  timer = undefined;
  if (isEnding) return;
  const at = now();
  if (at < until) {
    if (frozenSince !== undefined) {
      frozenSince = undefined;
      hasBegunToEnd = false;
      isOver = false;
      thawProcesses();
      void thawContainers();
      tell('thawed');
    }
    again(until - at);
    return;
  }
  if (frozenSince !== undefined && at - frozenSince > order.graceMs) void endAll();
  else freeze();
  again(at - (frozenSince ?? at) < settledMs ? againMs : seldomMs);
}

function again(ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(look, Math.min(Math.max(0, Math.ceil(ms)), 2 ** 30));
}

function hear(message: ToWarden): void {
  if (message.type === 'until') {
    until = message.at;
    look();
  } else if (message.type === 'end') {
    void end();
  } else if (message.type === 'ask') {
    tell('known');
  } else {
    until = Number.POSITIVE_INFINITY;
    look();
    clearTimeout(timer);
    nodeIsGone = true;
    void exitWithoutContainers();
    setTimeout(() => void end(), order.graceMs);
  }
}

// The next run of the node has come: it follows its containers itself.
process.on('SIGTERM', () => {
  const isLate = frozenSince !== undefined && now() - frozenSince > order.reattachMs;
  void (isLate ? end() : thawContainers()).finally(() => process.exit());
});
process.stdout.on('error', () => {});
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => hear(JSON.parse(line) as ToWarden));
lines.on('close', () => {
  nodeIsGone = true;
  if (frozenSince !== undefined) endProcesses();
  if (isEnding) process.exit();
  void exitWithoutContainers();
});
