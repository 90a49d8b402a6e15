/**
 * `npm run screenshots`: the pictures of the visualizer in the docs, taken of a server of its own that runs some of the
 * examples. Writes `docs/images/NAME-light.png` and `NAME-dark.png`, or into the folder that is given.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Page } from 'playwright-core';
import { ErrorCode, ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { launchBrowser, visit } from '../test/support/browser.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../test/support/server.ts';

const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '../docs/images'));
const width = 1440;
/** They are in the repository: none may be large. */
const mostBytes = 200_000;

/** What the pictures show. */
interface Scene {
  readonly ticking: string;
  readonly failed: string;
}

async function play(server: ChildServer): Promise<Scene> {
  const { functions } = server;
  await server.register('count-words', 'wordcount/wordcount.wasm');
  await server.register('calculate', 'typed/typed.wasm', { instancePolicy: InstancePolicy.REUSED });
  await server.register('ticker', 'ticker/ticker.wasm');
  await server.register('import-orders', 'misbehaving/exit.wasm', {
    retry: {
      maxAttempts: 3,
      initial: durationFromMs(150),
      jitter: 0,
      on: [ErrorCode.FUNCTION_EXIT],
    },
  });
  await server.register('render', 'misbehaving/loop.wasm', { timeouts: { attempt: durationFromMs(400) } });
  await server.register('resize', 'misbehaving/trap.wasm');
  const started = (task: string, more: object = {}) =>
    functions.invokeFunction({ task, executionMode: ExecutionMode.ASYNC, ...more });
  const text = (value: string) => ({ kind: { case: 'stringValue' as const, value } });

  for (const name of ['Ada', 'Grace', 'Edsger']) {
    await functions.invokeFunction({
      task: 'calculate',
      functionName: 'greet',
      parameters: { name: text(name) },
    });
    await functions.invokeFunction({ task: 'count-words', input: Buffer.from(`dear ${name}\n`) });
  }
  await functions.invokeFunction({ task: 'resize' });
  await functions.invokeFunction({ task: 'render' });
  const failed = await functions.invokeFunction({ task: 'import-orders', args: ['7'] });
  const cancelled = await started('ticker', { args: ['1000', '100'] });
  await functions.cancelExecution({ executionId: cancelled.executionId, reason: 'not needed any more' });
  await functions.waitExecution({ executionId: cancelled.executionId });
  await functions.invokeFunction({
    task: 'calculate',
    functionName: 'greet',
    parameters: { name: text('Barbara') },
  });
  const held = await started('ticker', { startAfter: durationFromMs(3_600_000) });
  await functions.suspendExecution({ executionId: held.executionId });
  await started('count-words', { startAfter: durationFromMs(1_800_000) });
  const ticking = await started('ticker', { args: ['100000', '120'] });
  await started('ticker', { args: ['100000', '250'] });
  return { ticking: ticking.executionId, failed: failed.executionId };
}

async function take(page: Page, name: string, scheme: string): Promise<void> {
  const path = join(folder, `${name}-${scheme}.png`);
  const { byteLength } = await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  if (byteLength > mostBytes)
    throw new Error(`${path} has ${byteLength} bytes; at most ${mostBytes} may it have`);
}

const dataDir = await temporaryDataDir();
const server = await spawnServer(dataDir, { slots: '4', anonymousRole: 'operate' });
const browser = await launchBrowser();
try {
  await mkdir(folder, { recursive: true });
  const scene = await play(server);
  for (const colorScheme of ['light', 'dark'] as const) {
    const reader = await visit(browser, server.httpAddress, {
      colorScheme,
      viewport: { width, height: 620 },
    });
    const { page } = reader;
    await reader.open('/');
    await page.locator('.row', { hasText: 'Timed out' }).waitFor();
    // The counts come once a second.
    await page.getByRole('button', { name: /^Failed\D*2$/ }).waitFor();
    await take(page, 'list', colorScheme);
    await reader.open('/?view=tree');
    await page
      .getByRole('treeitem', { name: /ticker/ })
      .first()
      .waitFor();
    await take(page, 'tree', colorScheme);

    await page.setViewportSize({ width, height: 960 });
    await reader.open(`/?execution=${scene.ticking}`);
    await page.locator('.state[data-current]').waitFor();
    await page.getByText('Following', { exact: true }).waitFor();
    await page.getByRole('region', { name: 'Why it is here' }).waitFor();
    await take(page, 'execution', colorScheme);
    await reader.open(`/?execution=${scene.failed}`);
    await page.getByRole('region', { name: 'What went wrong' }).waitFor();
    await page.locator('.state[data-current]').waitFor();
    await take(page, 'failure', colorScheme);
    for (let steps = 3; steps > 0; steps -= 1) await page.keyboard.press('[');
    await page.getByText('The past, read-only.').waitFor();
    await take(page, 'time-travel', colorScheme);
    if (reader.faults.length > 0) throw new Error(reader.faults.join('\n'));
    await reader.close();
  }
} finally {
  await browser.close();
  await server.end('SIGTERM');
  await rm(dataDir, { recursive: true, force: true });
}
