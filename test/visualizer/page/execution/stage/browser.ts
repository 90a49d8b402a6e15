/** The stage in a browser, served with the content policy that a node serves the page with. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { sharedBrowser } from '../../../../support/browser.ts';
import { slowDown } from '../../../../support/slow-page.ts';
import type { Recording } from '../recording.ts';
import { executionChart } from '../recording.ts';
import { buildStage } from './build.ts';

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:";
const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

export interface StageBrowser {
  /** A page with nothing on it yet; `complaints` gathers what the browser complains about. */
  open(look?: {
    readonly dark?: boolean;
    readonly width?: number;
    readonly height?: number;
  }): Promise<StagePage>;
  /** Closes the pages that are open: one that shows what goes on draws as long as it is there. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export interface StagePage {
  readonly page: Page;
  readonly complaints: readonly string[];
  show(run: Recording, live?: boolean): Promise<void>;
}

export async function startStage(): Promise<StageBrowser> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-stage-'));
  await buildStage(folder);
  const server = createServer((request, response) => {
    const path = request.url === '/' ? '/index.html' : (request.url ?? '');
    response.setHeader('content-security-policy', policy);
    readFile(join(folder, path)).then(
      (bytes) => {
        response.setHeader('content-type', types[extname(path)] ?? 'text/plain');
        response.end(bytes);
      },
      () => {
        // The browser asks for an icon that there is not.
        response.statusCode = 204;
        response.end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await sharedBrowser();
  const contexts: BrowserContext[] = [];
  const clear = async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  };
  return {
    async open({ dark = false, width = 1440, height = 1000 } = {}) {
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: dark ? 'dark' : 'light',
        timezoneId: 'UTC',
      });
      contexts.push(context);
      const page = await context.newPage();
      await slowDown(page);
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)));
      page.on('dialog', (dialog) => {
        complaints.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      await page.goto(`http://127.0.0.1:${port}/`);
      return {
        page,
        complaints,
        show: async (run, live = false) => {
          const given = {
            name: `${run.id}.ndjson`,
            text: run.history(),
            machines: JSON.stringify([executionChart()]),
            live,
          };
          await page.evaluate(({ name, text, machines, live: goesOn }) => {
            const { stage } = window as never as { stage: { show(...all: unknown[]): Promise<void> } };
            return stage.show(name, text, JSON.parse(machines), goesOn);
          }, given);
          await page.getByRole('slider').waitFor();
          // Effects run after the first frame, and with them come the keys.
          await page.evaluate(
            () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
          );
        },
      };
    },
    clear,
    async close() {
      await clear();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
