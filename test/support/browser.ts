/** A browser that visits a node's page, and notes everything that should not happen there. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { chromiumPath } from './needs.ts';
import { slowDown } from './slow-page.ts';

/** Root has no sandbox. */
export const launchOptions = {
  executablePath: chromiumPath,
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
};

/** Whoever launches it closes it. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch(launchOptions);
}

let shared: Promise<Browser> | undefined;

/**
 * One browser for all test files of a worker: a start costs seconds, and what a test sees is kept apart by a context of
 * its own. Nobody closes it; it ends with the worker's process.
 */
export async function sharedBrowser(): Promise<Browser> {
  const running = await shared;
  if (running?.isConnected()) return running;
  shared = launchBrowser();
  return shared;
}

/** One reader with a browser profile of their own. */
export class Visit {
  readonly page: Page;
  readonly origin: string;
  /** The paths that it asked its node for, in order. */
  readonly requests: readonly string[];
  #faults: string[] = [];

  constructor(page: Page, origin: string) {
    const note = (fault: string) => this.#faults.push(fault);
    const requests: string[] = [];
    page.on('pageerror', (error) => note(`uncaught: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      const { url } = message.location();
      // A refusal by the node is an answer that tests ask for; the browser complains of it all the same.
      const refused = /^Failed to load resource: the server responded with a status of 4/.test(
        message.text(),
      );
      if (message.type() === 'error' && !refused) note(`console: ${message.text()} (${url})`);
    });
    page.on('crash', () => note('the page crashed'));
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.origin === origin) requests.push(`${url.pathname}${url.search}`);
      else note(`asked for ${request.url()}`);
    });
    this.page = page;
    this.origin = origin;
    this.requests = requests;
  }

  /** What the page complained of, and whatever it asked of others than its node. */
  get faults(): readonly string[] {
    return this.#faults;
  }

  /** Goes to a path of the node, and waits until the page is live. */
  async open(path = '/'): Promise<void> {
    await this.page.goto(this.origin + path);
    await this.page.getByText('Live', { exact: true }).waitFor();
  }

  /** Takes faults away that a test has brought about; answers with them. */
  forgive(expected: RegExp): readonly string[] {
    const forgiven = this.faults.filter((fault) => expected.test(fault));
    this.#faults = this.#faults.filter((fault) => !expected.test(fault));
    return forgiven;
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}

/** `httpAddress` is the node's HOST:PORT. */
export async function visit(
  browser: Browser,
  httpAddress: string,
  options: BrowserContextOptions = {},
  scheme: 'http' | 'https' = 'http',
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  await slowDown(page);
  page.setDefaultTimeout(60_000);
  const visited = new Visit(page, `${scheme}://${httpAddress}`);
  // A violation of the content policy is told to the page, whether or not the console says so.
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', (event) => console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))",
  );
  return visited;
}
