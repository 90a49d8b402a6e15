/** Who the page is to a node that wants a token of everybody. */

import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { AccessService, Role } from '../../../src/server/gen/spearlet/access_pb.js';
import { ExecutionMode } from '../../../src/server/gen/spearlet/function_pb.js';
import { launchBrowser, type Visit, visit } from '../../support/browser.ts';
import { chromium, describeWhere } from '../../support/needs.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../../support/server.ts';
import { barriers } from './barriers.ts';
import { ExecutionPage } from './execution-page.ts';
import { ListPage } from './list-page.ts';

const flags = { anonymousRole: 'none', logLevel: 'trace' };

describeWhere([await chromium()], 'a page of a node that wants a token', () => {
  let browser: Browser;
  let server: ChildServer;
  let dataDir: string;

  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    [server, browser] = await Promise.all([spawnServer(dataDir, flags), launchBrowser()]);
    await server.register('loop', 'misbehaving/loop.wasm');
  });

  afterAll(async () => {
    await browser?.close();
    await server?.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
  });

  async function reader(of = server, options: BrowserContextOptions = {}): Promise<Visit> {
    const made = await visit(browser, of.httpAddress, options);
    onTestFinished(() => made.close());
    await made.page.clock.install();
    return made;
  }

  async function newCode(of = server): Promise<string> {
    return (await of.connection.service(AccessService).createPageCode({})).code;
  }

  /** Goes to the link that `spear page` prints. */
  async function signIn(made: Visit, of = server): Promise<string> {
    const code = await newCode(of);
    await made.open(`/#code=${code}`);
    return code;
  }

  function tokenOf(page: Page): Promise<string> {
    return page.evaluate(() => localStorage.getItem('spear.session') ?? '');
  }

  async function loops(of = server): Promise<string> {
    const asked = { task: 'loop', executionMode: ExecutionMode.ASYNC };
    return (await of.functions.invokeFunction(asked)).executionId;
  }

  function signInScreen(page: Page) {
    return page.getByRole('heading', { name: 'Sign in to this node' });
  }

  /** What the page asks for in the next minute of its own clock. */
  async function askedLater({ page, requests }: Visit): Promise<readonly string[]> {
    const before = requests.length;
    await page.clock.fastForward(60_000);
    // What it has sent by now was sent before this.
    await page.evaluate(() => fetch('/healthz').then((answer) => answer.text()));
    return requests.slice(before).filter((path) => path !== '/healthz');
  }

  test('shows one execution to whoever comes by its link, also after a reload, and nothing else', async () => {
    const [shown, other] = [await loops(), await loops()];
    const { secret } = await server.connection.service(AccessService).createToken({
      ...{ name: `link-${shown.slice(-8)}`, role: Role.OBSERVE, executionId: shown },
      expiresAt: timestampFromMs(Date.now() + 600_000),
    });
    const made = await reader();
    const { page } = made;
    await made.open(`/?execution=${shown}#token=${secret}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    expect(page.url()).not.toContain(secret);
    expect(await tokenOf(page)).toBe('');
    await page.reload();
    await seen.lit('running.attempting');
    await made.open('/');
    const list = new ListPage(page);
    await list.row(shown).waitFor();
    expect(await list.row(other).count()).toBe(0);
    await page.getByText('Read only').waitFor();
  });

  test('is entered with a code, shows what runs, acts, downloads, and stays entered', async () => {
    const made = await reader();
    const { page } = made;
    const executionId = await loops();
    await signIn(made);
    expect(page.url()).toBe(`http://${server.httpAddress}/`);
    const list = new ListPage(page);
    await list.row(executionId).getByText('Running').waitFor();
    await page.goto(`${made.origin}/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    const item = await seen.inMenu(/Download history/);
    const [file] = await Promise.all([page.waitForEvent('download'), item.click()]);
    expect(file.suggestedFilename()).toBe(`${executionId}.history.jsonl`);
    expect(await file.failure()).toBeNull();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByRole('button', { name: 'Cancel execution' }).click();
    await seen.lit('cancelled');
    // Nothing in the history of the browser has the code.
    await page.goBack();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(page.url()).not.toContain('code');
    expect(await page.context().cookies()).toEqual([]);
    expect(made.faults).toEqual([]);
  });

  test('says what to do to who has no code, asks the node no more, and goes on with a code from there', async () => {
    const made = await reader();
    const { page } = made;
    await page.goto(`${made.origin}/?view=tree`);
    await signInScreen(page).waitFor();
    await page.getByText('spear page', { exact: true }).waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await askedLater(made)).toEqual([]);
    const code = await newCode();
    await page.evaluate((fragment) => {
      location.hash = fragment;
    }, `code=${code}`);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('treeitem').first().waitFor();
    expect(page.url()).toBe(`${made.origin}/?view=tree`);
    expect(made.faults).toEqual([]);
  });

  test('is not entered with a code that was used, and a browser that is signed in stays so', async () => {
    const first = await reader();
    const code = await signIn(first);
    const second = await reader();
    await second.page.goto(`${second.origin}/#code=${code}`);
    await signInScreen(second.page).waitFor();
    await second.page.getByText('This link was used already').waitFor();
    expect(second.page.url()).not.toContain('code');
    expect(await tokenOf(second.page)).toBe('');
    // As when its link is opened again out of the terminal.
    await first.page.goto('about:blank');
    await first.open(`/#code=${code}`);
    await first.page.getByText('This link was used already').waitFor();
  });

  test('is told to other tabs of the browser, which go on then', async () => {
    const made = await reader();
    await made.page.goto(made.origin);
    await signInScreen(made.page).waitFor();
    const other = await made.page.context().newPage();
    await other.goto(`${made.origin}/#code=${await newCode()}`);
    await other.getByText('Live', { exact: true }).waitFor();
    await made.page.getByText('Live', { exact: true }).waitFor();
    expect(await tokenOf(made.page)).toBe(await tokenOf(other));
  });

  test('has its session no more after a restart of the node: says so, and asks no more', async () => {
    const folder = await temporaryDataDir();
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const first = await spawnServer(folder, flags);
    await first.register('loop', 'misbehaving/loop.wasm');
    const made = await reader(first);
    const { page } = made;
    await signIn(made, first);
    await first.end('SIGKILL');
    await page.getByText(/Not connected for/).waitFor();
    const second = await spawnServer(folder, { ...flags, httpAddress: first.httpAddress });
    onTestFinished(async () => void (await second.end('SIGKILL')));
    const executionId = await loops(second);
    await signInScreen(page).waitFor();
    expect(await tokenOf(page)).toBe('');
    expect(await askedLater(made)).toEqual([]);
    await page.evaluate(
      (fragment) => {
        location.hash = fragment;
      },
      `code=${await newCode(second)}`,
    );
    await page.getByText('Live', { exact: true }).waitFor();
    await new ListPage(page).row(executionId).getByText('Running').waitFor();
    made.forgive(/net::ERR/);
    expect(made.faults).toEqual([]);
  });

  test('is ended by the revocation of the token that its link was made with, at the next request', async () => {
    const access = server.connection.service(AccessService);
    const { secret } = await access.createToken({ name: 'lent', role: Role.ADMIN });
    const made = await reader();
    const answer = await fetch(`http://${server.httpAddress}/api/AccessService/CreatePageCode`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
      body: '{}',
    });
    await made.open(`/#code=${((await answer.json()) as { code: string }).code}`);
    await access.revokeToken({ name: 'lent' });
    await made.page.keyboard.press('b');
    await signInScreen(made.page).waitFor();
    expect(await askedLater(made)).toEqual([]);
  });

  test('sends its token in no address, to no other site, and the node writes it into no log', async () => {
    const made = await reader();
    const { page } = made;
    const asked: { url: string; referer: string | undefined; body: string | null }[] = [];
    page.context().on('request', (request) => {
      asked.push({ url: request.url(), referer: request.headers().referer, body: request.postData() });
    });
    const code = await signIn(made);
    const executionId = await loops();
    await page.goto(`${made.origin}/?execution=${executionId}`);
    const seen = new ExecutionPage(page);
    await seen.lit('running.attempting');
    const item = await seen.inMenu(/Download history/);
    const [file] = await Promise.all([page.waitForEvent('download'), item.click()]);
    const elsewhere = await foreignSite();
    await page.evaluate((href) => {
      const link = Object.assign(document.createElement('a'), { href, textContent: 'elsewhere' });
      document.body.append(link);
      link.click();
    }, elsewhere.origin);
    await page.waitForURL(`${elsewhere.origin}/`);
    await page.goBack();
    const token = await tokenOf(page);
    expect(token).toMatch(/^spear_page_/);
    expect(file.url()).toMatch(/\/api\/history\/exec_\w+\?ticket=[\w-]+$/);
    expect(file.url()).not.toContain(token);
    expect(asked.some(({ url }) => url.includes('/api/events'))).toBe(true);
    for (const { url, referer, body } of asked) {
      expect(url).not.toContain(token);
      // The browser shows the fragment of what it was sent to; no server hears of it.
      expect(url.split('#')[0]).not.toContain(code);
      expect(referer ?? '').not.toContain(code);
      expect(body ?? '').not.toContain(token);
    }
    expect(elsewhere.heard).toEqual([undefined]);
    await server.functions.cancelExecution({ executionId });
    expect(server.output.filter((line) => line.includes(token) || line.includes(code))).toEqual([]);
  });

  test('can be used by no page of another origin, also of the same host', async () => {
    const made = await reader();
    await signIn(made);
    const token = await tokenOf(made.page);
    const code = await newCode();
    const elsewhere = await foreignSite();
    const page = await made.page.context().newPage();
    await page.goto(elsewhere.origin);
    expect(await tokenOf(page)).toBe('');
    const tried = await page.evaluate(
      async ({ node, code, token }) => {
        const attempt = async (path: string, init: RequestInit) => {
          try {
            const answer = await fetch(node + path, init);
            return `${answer.type} ${answer.status}`;
          } catch {
            return 'refused';
          }
        };
        const json = { 'content-type': 'application/json' };
        const authorization = `Bearer ${token}`;
        const body = JSON.stringify({ code });
        const socket = (protocols: string[]) =>
          new Promise<string>((resolve) => {
            const made = new WebSocket(`${node.replace('http', 'ws')}/api/inspect`, protocols);
            made.onopen = () => resolve('open');
            made.onerror = () => resolve('refused');
          });
        const framed = document.createElement('iframe');
        framed.src = node;
        document.body.append(framed);
        return [
          await attempt('/api/session', { method: 'POST', headers: json, body }),
          await attempt('/api/session', { method: 'POST', mode: 'no-cors', body }),
          await attempt('/api/NodeService/GetNode', { method: 'POST', headers: json, body: '{}' }),
          await attempt('/api/NodeService/GetNode', {
            method: 'POST',
            headers: { ...json, authorization },
            body: '{}',
          }),
          await attempt('/api/events', { headers: { authorization } }),
          await attempt('/api/tickets', { method: 'POST', headers: { ...json, authorization }, body: '{}' }),
          await socket(['spear', `spear.token.${token}`]),
          await socket([]),
        ];
      },
      { node: made.origin, code, token },
    );
    // Without CORS a browser shows nothing of an answer: `opaque 0` is one that nobody can read.
    expect(tried).toEqual(tried.map((each) => (each.startsWith('opaque') ? 'opaque 0' : 'refused')));
    // The code was not used up by it.
    const later = await reader();
    await later.open(`/#code=${code}`);
  });

  test('opens an inspector with its token, as a browser can', async () => {
    const made = await reader();
    await signIn(made);
    const told = await made.page.evaluate(
      () =>
        new Promise<string>((resolve) => {
          const token = localStorage.getItem('spear.session') ?? '';
          const protocols = ['spear', `spear.token.${token}`];
          const socket = new WebSocket(`ws://${location.host}/api/inspect`, protocols);
          socket.onmessage = ({ data }) => resolve(`${socket.protocol} ${JSON.parse(String(data)).type}`);
          socket.onerror = () => resolve('refused');
        }),
    );
    expect(told).toBe('spear @xstate.actor');
  });
});

/** Another port of the same host, which is the same site for a cookie; notes what a browser says where it came from. */
async function foreignSite(): Promise<{ origin: string; heard: (string | undefined)[] }> {
  const heard: (string | undefined)[] = [];
  const site = createServer((request, response) => {
    if (request.url === '/') heard.push(request.headers.referer);
    response.writeHead(200, { 'content-type': 'text/html' }).end('<title>elsewhere</title>');
  });
  await new Promise<void>((done) => site.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    site.closeAllConnections();
    site.close();
  });
  return { origin: `http://127.0.0.1:${(site.address() as AddressInfo).port}`, heard };
}
