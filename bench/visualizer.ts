/**
 * The page under load, in headless Chromium. Beside the other benches, or alone and for longer:
 *
 *     node bench/visualizer.ts [SECONDS]
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { create, toBinary } from '@bufbuild/protobuf';
import { type Browser, chromium, type Page } from 'playwright-core';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, InvokeFunctionRequestSchema } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { launchBrowser, launchOptions } from '../test/support/browser.ts';
import { invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { fill, keepPace } from './pace.ts';
import { frames, heapBytes, paintedAt, paintProbe, transferred, until, watchFrames } from './page-probe.ts';
import { type BenchServer, startSpear } from './server.ts';
import { median, printTable, type Row } from './table.ts';

const run = promisify(execFile);

const listed = 10_000;
const eventsPerSecond = 2000;
const pages = 10;
/** The page keeps at most 20 000 executions: before it is full its memory cannot be flat. */
const minUntilFull = 20;

/** `seconds` is how long the memory is watched; five minutes are the goal, and more than a bench should take. */
export async function visualizerRows(seconds = 100): Promise<Row[]> {
  const spear = await startSpear({ SPEAR_SLOTS: '64', SPEAR_QUEUE_LIMIT: '100000' });
  const connection = connect(spear.grpcAddress);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
  await fill(spear.grpcAddress, listed);
  try {
    const browser = await launchBrowser();
    const rows = [
      ...(await paintRows(browser, spear)),
      ...(await streamRows(browser, spear, Math.max(seconds, 2 * minUntilFull))),
    ];
    await browser.close();
    return [...rows, ...(await throughputRows(spear))];
  } finally {
    await spear.stop();
  }
}

async function openPage(browser: Browser, spear: BenchServer): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.addInitScript(paintProbe);
  await page.goto(`http://${spear.httpAddress}/`);
  return page;
}

/** A reader who comes for the first time, to a node with a list. */
async function paintRows(browser: Browser, spear: BenchServer): Promise<Row[]> {
  const times: number[] = [];
  let bytes = 0;
  for (let round = 0; round < 7; round += 1) {
    const page = await openPage(browser, spear);
    times.push(await paintedAt(page));
    bytes = await transferred(page);
    await page.context().close();
  }
  return [
    limited('page: first execution painted, median ms', median(times), 1000),
    limited('page: all of its files as sent, KB', bytes / 1000, 150),
  ];
}

/** The list, full, while much happens. */
async function streamRows(browser: Browser, spear: BenchServer, seconds: number): Promise<Row[]> {
  const page = await openPage(browser, spear);
  await paintedAt(page);
  // To the end of the list and back: all of it is there then.
  const known = 'Number(document.querySelector("[role=grid]").getAttribute("aria-rowcount")) - 1';
  for (let count = 0; count < listed; ) {
    await page.evaluate(`document.querySelector('[role=grid]').scrollTo(0, 1e9)`);
    await until(page, `${known} > ${count}`);
    count = await page.evaluate(known);
  }
  await page.evaluate(`document.querySelector('[role=grid]').scrollTo(0, 0)`);
  const empty = await browser.newPage();
  const pace = await keepPace(spear.grpcAddress, eventsPerSecond);
  // The first seconds are those of a page that wakes up.
  await pause(2000);
  await Promise.all([watchFrames(page), watchFrames(empty)]);
  const warm = Math.max(minUntilFull, seconds / 5);
  await pause(warm * 1000);
  const early = await frames(page);
  // Memory is looked at while nothing else is measured: it stops the page.
  const heapBefore = await heapBytes(page);
  await frames(page);
  await pause((seconds - warm) * 1000);
  const late = await frames(page);
  const heapAfter = await heapBytes(page);
  const beside = await frames(empty);
  const reached = await pace.reached();
  await pace.stop();
  await page.context().close();
  await empty.close();
  const longest = Math.max(early.longest, late.longest);
  const gap = Math.max(early.gap, late.gap);
  const what = `page: ${listed} listed, ${Math.round(reached)} events/s`;
  return [
    limited(`${what}, longest frame, ms${longest === 0 ? ' (none over 50)' : ''}`, longest, 100),
    {
      ...limited('page: longest between two of its frames, ms; beside it an empty page', gap, beside.gap),
      goal: '',
    },
    {
      what: `page: heap after ${Math.round(warm)} s and after ${seconds} s of that, MB`,
      spear: (heapAfter / 1e6).toFixed(1),
      limit: (heapBefore / 1e6).toFixed(1),
      ratio: heapAfter / heapBefore,
      goal: '<= 1.15',
    },
  ];
}

/**
 * What the executions lose when ten people look. The pages stand for other people's machines, and run at the lowest
 * priority: what they draw must not take the processor from the node that is measured.
 */
async function throughputRows(spear: BenchServer): Promise<Row[]> {
  const message = toBinary(
    InvokeFunctionRequestSchema,
    create(InvokeFunctionRequestSchema, {
      task: 'noop',
      functionName: 'noop',
      executionMode: ExecutionMode.SYNC,
    }),
  );
  const requests = 20_000;
  const measure = async () => {
    const before = await processorSeconds(spear.pid);
    const calls = { address: spear.grpcAddress, path: invokePath, message, requests, inFlight: 64 };
    const { requestsPerSecond } = await load(calls);
    const seconds = (await processorSeconds(spear.pid)) - before;
    return { rate: requestsPerSecond, cost: (seconds / requests) * 1e6 };
  };
  const server = await chromium.launchServer(launchOptions);
  await giveWay(server.process().pid ?? 0);
  const browser = await chromium.connect(server.wsEndpoint());
  type Measured = Awaited<ReturnType<typeof measure>>;
  const rounds: { readonly alone: Measured; readonly watched: Measured }[] = [];
  await measure();
  for (let round = 0; round < 9; round += 1) {
    const alone = await measure();
    const open: Page[] = [];
    for (let left = pages; left > 0; left -= 1) open.push(await openPage(browser, spear));
    await Promise.all(open.map(paintedAt));
    const watched = await measure();
    await Promise.all(open.map((page) => page.context().close()));
    rounds.push({ alone, watched });
  }
  await browser.close();
  await server.close();
  return [
    {
      what: `executions with ${pages} pages open, and with none, calls/s`,
      spear: median(rounds.map(({ watched }) => watched.rate)).toFixed(0),
      limit: median(rounds.map(({ alone }) => alone.rate)).toFixed(0),
      ratio: median(rounds.map(({ alone, watched }) => watched.rate / alone.rate)),
      goal: '>= 0.9',
    },
    {
      what: "the node's processor time for each of these, µs",
      spear: median(rounds.map(({ watched }) => watched.cost)).toFixed(0),
      limit: median(rounds.map(({ alone }) => alone.cost)).toFixed(0),
      ratio: median(rounds.map(({ alone, watched }) => watched.cost / alone.cost)),
      goal: '',
    },
  ];
}

/** The browser's processes, and those that they will start, run only where nobody else wants to. */
async function giveWay(browser: number): Promise<void> {
  // Linux weighs sessions against each other first; a kernel that does not goes by the processes alone.
  await writeFile(`/proc/${browser}/autogroup`, '19').catch(() => {});
  // Its group has the number of its first process.
  const { stdout } = await run('pgrep', ['--pgroup', String(browser)]);
  for (const pid of stdout.trim().split('\n')) {
    await run('chrt', ['--idle', '--all-tasks', '--pid', '0', pid]);
  }
}

/** What a process has used since its start, in seconds. */
async function processorSeconds(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function limited(what: string, measured: number, limit: number): Row {
  return { what, spear: measured.toFixed(0), limit: limit.toFixed(0), ratio: measured / limit, goal: '<= 1' };
}

if (import.meta.main) {
  const rows = await visualizerRows(Number(process.argv[2] ?? '100'));
  printTable(rows);
  console.log(
    `load of the machine: ${loadavg()
      .map((each) => each.toFixed(1))
      .join(' ')}`,
  );
}
