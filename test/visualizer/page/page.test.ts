/** The page in a browser, on a node that is made up. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildPage } from '../../../scripts/build-page.ts';
import { sharedBrowser } from '../../support/browser.ts';
import { slowDown } from '../../support/slow-page.ts';
import { barriers } from '../browser/barriers.ts';
import type { Recording } from './execution/recording.ts';
import { failedAfterRetries } from './execution/recordings.ts';
import { type FakeNode, startFakeNode } from './fake-node.ts';
import { ended, execution, running } from './made-executions.ts';

let folder: string;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let node: FakeNode;
const faults: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'spear-page-test-'));
  await buildPage(folder);
  browser = await sharedBrowser();
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  faults.length = 0;
  context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  page = await context.newPage();
  await slowDown(page);
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // A node that goes away is no fault of the page.
    if (message.type() === 'error' && !message.text().includes('net::ERR')) faults.push(message.text());
  });
});

afterEach(async () => {
  await context.close();
  await node.close();
  expect(faults).toEqual([]);
});

async function open(path = '', count = 0): Promise<void> {
  node = await startFakeNode({ folder, count });
  await page.goto(node.origin + path);
  await page.getByText('Live', { exact: true }).waitFor();
}

const rows = () => page.locator('.row:not(.head)');
const count = async () => Number(await page.getByRole('grid').getAttribute('aria-rowcount')) - 1;
const query = () => new URL(page.url()).search;

/** A browser says in its console what a node does not have. */
function forgiveRefusals(): void {
  const left = faults.filter((fault) => !fault.includes('404'));
  faults.splice(0, faults.length, ...left);
}

describe('the list', () => {
  it('says how to run something where nothing has run', async () => {
    await open();
    await page.getByRole('heading', { name: 'Nothing has run here yet' }).waitFor();
    await expect
      .poll(() => page.locator('.command pre').allTextContents())
      .toContainEqual(expect.stringContaining('curl -s http'));
  });

  it('shows an execution as it begins, runs and ends, without being asked', async () => {
    await open();
    const admitted = execution(Date.now(), 1);
    node.tell([admitted]);
    await rows().getByText('Queued').waitFor();
    node.tell([running(admitted, Date.now())]);
    await rows().getByText('Running').waitFor();
    node.tell([ended(running(admitted, Date.now()), Date.now(), 1)]);
    await rows().locator('.ticking').waitFor({ state: 'detached' });
    await expect.poll(() => count()).toBe(1);
  });

  it('takes out what is deleted, without being asked', async () => {
    await open('', 50);
    await expect.poll(count).toBe(50);
    const ids = (await rows().evaluateAll((all) => all.map(({ id }) => id.slice('row-'.length)))).slice(
      12,
      16,
    );
    await page.evaluate(() => Object.assign(window, { kept: true }));
    node.forget(ids);
    await expect.poll(count).toBe(46);
    for (const id of ids) await page.locator(`#row-${id}`).waitFor({ state: 'detached' });
    expect(await page.evaluate(() => 'kept' in window)).toBe(true);
  });

  it('draws a window of ten thousand, and reads older pages as the reader scrolls', async () => {
    await open('', 10_000);
    await rows().first().waitFor();
    expect(await rows().count()).toBeLessThan(100);
    const before = await count();
    for (let known = before; known < 10_000; known = await count()) {
      await page.getByRole('grid').evaluate((grid) => grid.scrollTo(0, grid.scrollHeight));
      await expect.poll(count).toBeGreaterThan(known);
    }
    expect(before).toBeLessThan(1000);
    await expect.poll(() => count()).toBe(10_000);
    await page.getByText('10,000 in all.').waitFor();
  });

  it('announces newer ones to a reader who is down in the list, and moves nothing', async () => {
    await open('', 300);
    await rows().first().waitFor();
    await page.getByRole('grid').evaluate((grid) => grid.scrollTo(0, 34 * 50));
    await page.locator('.row[aria-rowindex="53"]').waitFor();
    const seen = await page.locator('.row[aria-rowindex="53"]').getAttribute('id');
    node.tell([execution(Date.now(), 900_001), execution(Date.now(), 900_002)]);
    await page.getByRole('button', { name: '2 new' }).waitFor();
    expect(await page.locator('.row[aria-rowindex="53"]').getAttribute('id')).toBe(seen);
    await page.getByRole('button', { name: '2 new' }).click();
    await page.locator('.row[aria-rowindex="2"]').getByText('Queued').waitFor();
  });

  it('keeps its filters in the address, and the back button takes them back', async () => {
    await open('', 2000);
    await page.getByRole('button', { name: /^Failed/ }).click();
    await page.getByLabel('Task', { exact: true }).selectOption('resize');
    await expect.poll(query).toBe('?status=failed&task=resize');
    const states = async () => [...new Set(await rows().locator('.state').allTextContents())];
    await expect.poll(states).toEqual(['Failed']);
    await page.goBack();
    await expect.poll(query).toBe('?status=failed');
    await page.goBack();
    await expect.poll(query).toBe('');
    await page.reload();
    await rows().first().waitFor();
  });

  it('names the filters that leave nothing, and takes one away', async () => {
    await open('/?q=no-such-thing&status=completed', 50);
    await page.getByRole('heading', { name: 'No execution matches' }).waitFor();
    await page.getByRole('button', { name: 'text “no-such-thing”' }).click();
    await rows().first().waitFor();
    await expect.poll(query).toBe('?status=completed');
  });

  it('opens an execution by its id from the search', async () => {
    await open('', 400);
    const [id = ''] = node.executions.keys();
    await page.keyboard.press('/');
    await page.keyboard.type(id);
    await page.keyboard.press('Enter');
    await expect.poll(query).toBe(`?execution=${id}`);
  });

  it('is worked from the keyboard: down, open, back where it was', async () => {
    await open('', 100);
    await rows().first().waitFor();
    for (const key of ['j', 'j', 'j', 'k']) await page.keyboard.press(key);
    const chosen = page.locator('.row[aria-selected=true]').and(page.locator('[aria-rowindex="3"]'));
    const id = (await chosen.getAttribute('id'))?.replace('row-', '');
    await page.keyboard.press('Enter');
    await expect.poll(query).toBe(`?execution=${id}`);
    await page.keyboard.press('Escape');
    await page.locator(`#row-${id}[aria-selected=true]`).waitFor();
    await expect.poll(query).toBe(`?row=${id}`);
  });

  it('is where it was when the reader comes back from an execution', async () => {
    await open('', 150);
    await rows().first().waitFor();
    await page.getByRole('grid').evaluate((grid) => grid.scrollTo(0, 34 * 60));
    await page.locator('.row[aria-rowindex="65"] a').click();
    await expect.poll(query).toMatch(/execution=/);
    await page.keyboard.press('Escape');
    await page.locator('.row[aria-rowindex="65"]').waitFor();
    await expect.poll(() => page.getByRole('grid').evaluate((grid) => grid.scrollTop)).toBe(34 * 60);
  });

  it('keeps hostile text as text', async () => {
    await open();
    const hostile = '<img src=x onerror=alert(1)>\u001b[31m\u0000"\'';
    node.tell([
      {
        ...ended(execution(Date.now(), 1), Date.now(), 7),
        errorCode: 'ERROR_CODE_TRAP',
        errorMessage: hostile,
        taskName: '<b>bold</b>',
      },
    ]);
    await page.getByText('<b>bold</b>').waitFor();
    await page.getByText('<img src=x').first().waitFor();
    expect(await page.locator('.row img, .row b').count()).toBe(0);
  });
});

describe('the connection', () => {
  it('comes back by itself, says so meanwhile, and goes on where it was', async () => {
    await open('', 20);
    await rows().first().waitFor();
    const { port } = new URL(node.origin);
    await node.close();
    await page.getByText(/Not connected for/).waitFor();
    node = await startFakeNode({ folder, count: 20, port: Number(port) });
    await page.getByText('Live', { exact: true }).waitFor();
    node.tell([execution(Date.now(), 700_000)]);
    await rows().getByText('Queued').waitFor();
    // Those that were deleted meanwhile were not told.
    await expect.poll(count).toBe(21);
    forgiveRefusals();
  });

  it('lists again where more happened than was told, and learns what ended meanwhile', async () => {
    await open('', 90);
    await rows().first().waitFor();
    await rows().getByText('Running').first().waitFor();
    for (const each of node.executions.values()) {
      if (!each.isCompleted) node.executions.set(each.executionId, ended(each, Date.now(), 3));
    }
    const unheard = execution(Date.now(), 800_000);
    node.executions.set(unheard.executionId, unheard);
    node.reset();
    await rows().getByText('Queued').waitFor();
    await rows().getByText('Running').first().waitFor({ state: 'detached' });
    await expect.poll(count).toBe(91);
  });

  it('lists again where more was deleted than was told', async () => {
    await open('', 80);
    await expect.poll(count).toBe(80);
    const ended = [...node.executions.values()].filter(({ isCompleted }) => isCompleted);
    for (const { executionId } of ended.slice(10, 40)) node.executions.delete(executionId);
    node.reset();
    await expect.poll(count).toBe(50);
  });

  it('says that the node goes away, and not that the log of an execution failed', async () => {
    await open('', 20);
    const { id, events } = failedAfterRetries();
    const [first] = node.executions.values();
    if (first !== undefined) node.tell([{ ...first, executionId: id }]);
    node.logs.set(id, events);
    await page.goto(`${node.origin}/?execution=${id}`);
    await page.getByRole('heading', { name: `Events ${events.length}` }).waitFor();
    const alerts = page.getByRole('alert');
    await page.evaluate(() => {
      const seen: string[] = [];
      Object.assign(window, { seen });
      const look = () =>
        seen.push(
          ...[...document.querySelectorAll('[role=alert], .connection')].map((e) => e.textContent ?? ''),
        );
      new MutationObserver(look).observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
      });
    });
    node.drain();
    await expect
      .poll(() => page.evaluate(() => (window as unknown as { seen: string[] }).seen))
      .toContain('Node is stopping');
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await alerts.count()).toBe(0);
    expect(
      await page.evaluate(() =>
        (window as unknown as { seen: string[] }).seen.filter((text) =>
          text.includes('the node is stopping'),
        ),
      ),
    ).toEqual([]);
  });

  it('shows a fault of the store and a node that stops', async () => {
    await open('', 5);
    node.storeFault = 'no space left';
    node.state = 'draining';
    await page.getByRole('alert').getByText('no space left').waitFor();
    await page.getByText('Node is stopping').waitFor();
  });
});

describe('actions', () => {
  it('are confirmed, done and announced', async () => {
    await open('', 20);
    const id = [...node.executions.values()].find(({ isCompleted }) => !isCompleted)?.executionId ?? '';
    await page.goto(`${node.origin}/?execution=${id}`);
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel(/Reason/).fill('it is late');
    await page.getByRole('button', { name: 'Cancel execution' }).click();
    await page
      .getByRole('status')
      .getByText(/to end/)
      .waitFor();
    expect(node.calls).toContainEqual({
      method: 'FunctionService/CancelExecution',
      request: { executionId: id, reason: 'it is late' },
    });
  });

  it('run an execution again with another input', async () => {
    await open('', 40);
    const of = [...node.executions.values()].find(({ taskName }) => taskName === 'embed-text');
    await page.goto(`${node.origin}/?execution=${of?.executionId}`);
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.getByLabel(/^text/).fill('"another"');
    await page.getByLabel(/^size/).fill('');
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.getByRole('status').getByText('Started embed-text again').waitFor();
    const call = node.calls.find(({ method }) => method === 'FunctionService/InvokeFunction');
    expect(call?.request).toMatchObject({ parameters: { text: 'another' }, environment: { LEVEL: 'debug' } });
  });

  it('set, list and remove breakpoints', async () => {
    await open('', 5);
    await page.keyboard.press('b');
    await page.getByRole('button', { name: 'Set', exact: true }).click();
    await page
      .getByRole('dialog')
      .getByRole('cell', { name: /before an attempt starts/ })
      .waitFor();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Remove this breakpoint?').waitFor();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('None is set.').waitFor();
  });

  it('restore what has ended as a record, without being told to', async () => {
    await open('', 1);
    await page.getByRole('button', { name: 'Restore' }).click();
    const dialog = page.getByRole('dialog');
    const asNew = dialog.getByLabel('As a new execution');
    const choose = (status: string) => {
      const record = { executionId: 'exec_01', status };
      const text = `{"spearSnapshot":1,"parts":[\n${JSON.stringify({ kind: 'record', record })},\n`;
      return dialog
        .getByLabel('Snapshot file')
        .setInputFiles({ name: 'a.snapshot', mimeType: 'text/plain', buffer: Buffer.from(text) });
    };
    await expect.poll(() => asNew.isChecked()).toBe(true);
    await choose('failed');
    await dialog.getByText('exec_01 has ended (Failed): it is restored as a record').waitFor();
    await expect.poll(() => asNew.isChecked()).toBe(false);
    await choose('running');
    await dialog.getByText('has ended').waitFor({ state: 'detached' });
    await expect.poll(() => asNew.isChecked()).toBe(true);
  });

  it('are not there where the reader may only look', async () => {
    await open('', 20);
    node.role = 'observe';
    const [id = ''] = node.executions.keys();
    await page.goto(`${node.origin}/?execution=${id}`);
    await page.getByText('Read only').waitFor();
    await expect.poll(() => page.getByRole('button', { name: 'Run again' }).count()).toBe(0);
    await expect.poll(() => page.getByRole('button', { name: 'Restore' }).count()).toBe(0);
  });
});

describe('the timeline of the past', () => {
  it('says of an attempt what was known then', async () => {
    await open('', 1);
    const run = failedAfterRetries();
    node.tell([run.record()]);
    node.logs.set(run.id, [...run.events]);
    const retried = run.events.findIndex(({ transition }) => transition?.to === 'running.backingOff');
    await page.goto(`${node.origin}/?execution=${run.id}`);
    const titles = page.locator('.timeline .bar title');
    await expect.poll(() => titles.allTextContents()).toContain('Attempt 1: failed');
    await page.goto(`${node.origin}/?execution=${run.id}&at=${retried}`);
    await expect.poll(() => titles.allTextContents()).toContain('Attempt 1: running');
    await expect.poll(() => page.locator('.later-bar').count()).toBeGreaterThan(3);
    expect((await titles.allTextContents()).join()).not.toMatch(/failed|Attempt 2/);
    await expect.poll(() => page.locator('.timeline .readout').textContent()).toMatch(/up to here$/);
  });
});

describe('an execution that is deleted while it is open', () => {
  const alert = () => page.getByRole('alert').filter({ hasText: 'the node has it no more' });

  const { id, events } = failedAfterRetries();
  const readAll = () => page.getByRole('heading', { name: `Events ${events.length}` }).waitFor();

  async function openEnded(): Promise<void> {
    await open('', 20);
    const result = events.at(-1)?.result;
    if (result === undefined) throw new Error('it has not ended');
    node.logs.set(id, events);
    node.tell([result]);
    await page.goto(`${node.origin}/?execution=${id}`);
    await readAll();
    await page.getByRole('button', { name: 'Run again' }).waitFor();
  }

  it('stays as far as it was read, says so, and offers nothing that the node would have to do', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await openEnded();
    node.forget([id]);
    await alert().waitFor();
    await page.getByRole('button', { name: 'Run again' }).waitFor({ state: 'detached' });
    for (const name of ['More', 'Download'])
      await expect.poll(() => page.getByRole('button', { name, exact: true }).count()).toBe(0);
    await page.getByText('imported batch 30 of 412').first().waitFor();
    await page.getByRole('slider', { name: 'Event of the log' }).press('ArrowLeft');
    await page.getByText('The past, read-only.').waitFor();
    await expect.poll(() => page.getByRole('alert').count()).toBe(1);

    const before = asked.length;
    node.drain();
    await expect.poll(() => asked.slice(before).filter((url) => url.includes('/api/events'))).toHaveLength(1);
    expect(asked.slice(before).join()).not.toContain(id);
    await page.getByRole('navigation', { name: 'Where you are' }).getByRole('link').click();
    await rows().first().waitFor();
    await expect.poll(() => page.locator(`#row-${id}`).count()).toBe(0);
    expect(await barriers(page)).toEqual([]);
  });

  it('shows all of its log that came before', async () => {
    await open('', 20);
    const first = execution(Date.now(), 1);
    node.logs.set(id, events.slice(0, 5));
    node.tell([running({ ...first, executionId: id }, Date.now())]);
    await page.goto(`${node.origin}/?execution=${id}`);
    await page.getByRole('heading', { name: 'Events 5' }).waitFor();
    node.append(events.slice(5));
    node.forget([id]);
    await alert().waitFor();
    await readAll();
    // It is over: nothing ticks, and nothing explains why it goes on.
    await expect.poll(() => page.locator('.execution-facts').textContent()).toContain('In all');
  });

  it.each(['among more than is told', 'while the page is not connected'])(
    '%s, says so, too',
    async (when) => {
      await openEnded();
      node.executions.delete(id);
      if (when === 'among more than is told') node.reset();
      else node.drain();
      await alert().waitFor();
      await expect.poll(() => page.getByRole('button', { name: 'More' }).count()).toBe(0);
      await page.getByText('imported batch 30 of 412').first().waitFor();
      forgiveRefusals();
    },
  );

  it('was never there where the node knows nothing of it', async () => {
    await open('', 20);
    await page.goto(`${node.origin}/?execution=exec_01m808w43wk1636248bf21bkjm`);
    await page
      .getByRole('alert')
      .getByText(/deleted, or is not kept any more/)
      .waitFor();
    expect(await alert().count()).toBe(0);
    expect(await page.locator('article.execution').count()).toBe(0);
    await page.getByRole('link', { name: 'To all executions' }).click();
    await rows().first().waitFor();
    forgiveRefusals();
  });

  it('is not asked for where the address has no execution id, and the page stays live', async () => {
    await open(`/?execution=${encodeURIComponent('../../x<b>')}`, 20);
    await page.getByRole('alert').getByText('“../../x<b>” is not an execution id').waitFor();
    await page.keyboard.press('Escape');
    await rows().first().waitFor();
  });
});

describe('a file', () => {
  it('that is dropped is shown instead of the node, and says so', async () => {
    await open('', 20);
    await drop('history.ndjson', historyOf(failedAfterRetries()));
    await page.getByText('A file, not the node:').waitFor();
    await page.getByText('history.ndjson').first().waitFor();
    // The log has not been there: only the node's own chart knows of it.
    await page.getByRole('img', { name: /^State pending\.held: not entered/ }).waitFor();
    await page.keyboard.press('Escape');
    await rows().first().waitFor();
  });

  it('that is neither a history nor a snapshot is refused, and the page stays as it is', async () => {
    await open('', 20);
    await drop('holiday.txt', '<html>not one</html>');
    await page
      .getByRole('status')
      .getByText(/holiday.txt cannot be shown/)
      .waitFor();
    await rows().first().waitFor();
  });

  async function drop(name: string, text: string): Promise<void> {
    const files = await page.evaluateHandle(
      ([called, content]) => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([content ?? ''], called ?? ''));
        return transfer;
      },
      [name, text],
    );
    await page.dispatchEvent('main', 'drop', { dataTransfer: files });
  }

  function historyOf({ events }: Recording): string {
    const result = events.at(-1)?.result;
    const head = {
      result,
      statusEndpoint: '',
      estimatedCompletionMs: '0',
      lastSequence: String(events.length),
    };
    return [head, ...events].map((line) => `${JSON.stringify(line)}\n`).join('');
  }
});

describe('the tree', () => {
  it('shows what lives in the node, folds from the keyboard, and leads to executions', async () => {
    await open('/?view=tree', 60);
    await page
      .getByRole('treeitem', { name: /inst_warm/ })
      .first()
      .waitFor();
    const lines = await page.getByRole('treeitem').count();
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => page.getByRole('treeitem').count()).toBe(1);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => page.getByRole('treeitem').count()).toBeGreaterThanOrEqual(lines);
    await page.keyboard.press('v');
    await page.getByRole('columnheader', { name: 'Restarts' }).waitFor();
    await page
      .locator('a', { hasText: /^exec_/ })
      .first()
      .click();
    await expect.poll(query).toMatch(/execution=exec_/);
  });
});

describe('a reader of any kind', () => {
  it.each(['light', 'dark'] as const)('finds no barrier in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await open('', 200);
    await rows().first().waitFor();
    await seeNoBarrier('list');
    await page.keyboard.press('j');
    await page.locator('.row[aria-selected=true]').waitFor();
    await seeNoBarrier('j');
    for (const key of ['?', 'b']) {
      await page.keyboard.press(key);
      await page.getByRole('dialog').waitFor();
      await seeNoBarrier(key);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    }
    await page.keyboard.press('t');
    await page.getByRole('treeitem').first().waitFor();
    await seeNoBarrier('t');
    await page.keyboard.press('v');
    await page.getByRole('columnheader', { name: 'Restarts' }).waitFor();
    await seeNoBarrier('v');
    await page.setViewportSize({ width: 390, height: 844 });
    await page.keyboard.press('e');
    await rows().first().waitFor();
    await seeNoBarrier('narrow');
  });

  it.each([1440, 1280, 1024, 700])('finds all of the bar in one line of %d pixels', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    await open('', 20);
    await page.locator('.node-facts').getByText('Serving').waitFor();
    const outside = () =>
      page.locator('.node-bar > *').evaluateAll((all, within) => {
        const boxes = all.map((each) => each.getBoundingClientRect());
        return boxes.filter(({ left, right, top, bottom }, place) => {
          const before = boxes[place - 1]?.right ?? 0;
          return top < 0 || bottom > 49 || right > within || left < before;
        });
      }, width);
    await expect.poll(outside).toEqual([]);
    // What finds no room is not shown in part.
    const whole = () =>
      page.locator('.node-facts').evaluate((facts) => {
        const { right, bottom } = facts.getBoundingClientRect();
        const shown = [...facts.children]
          .map((each) => each.getBoundingClientRect())
          .filter((each) => each.top < bottom);
        return shown.length > 0 && shown.every((each) => each.right <= right);
      });
    await expect.poll(whole).toBe(true);
  });

  async function seeNoBarrier(where: string): Promise<void> {
    expect(await barriers(page), where).toEqual([]);
  }
});
