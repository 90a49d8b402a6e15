/** What the tests of one file share: a node in a process of its own, a browser, and work that goes on beside them. */
import { rm } from 'node:fs/promises';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { ConfigFlags } from '../../../src/config.ts';
import { ExecutionMode } from '../../../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../../../src/server/gen/spearlet/task_pb.js';
import { sharedBrowser, type Visit, visit } from '../../support/browser.ts';
import { type ChildServer, spawnServer, temporaryDataDir } from '../../support/server.ts';

type Invocation = Parameters<ChildServer['functions']['invokeFunction']>[0];

/** Valid within the tests of the file that made it. */
export class Site {
  server!: ChildServer;
  browser!: Browser;
  readonly #visits: Visit[] = [];
  #working = false;
  #work: Promise<unknown> = Promise.resolve();

  /** A reader whose page must have no fault until the test is over. */
  async visit(path?: string, options?: BrowserContextOptions): Promise<Visit> {
    const made = await visit(this.browser, this.server.httpAddress, options);
    this.#visits.push(made);
    if (path !== undefined) await made.open(path);
    return made;
  }

  /** Admits an execution and answers with its id. */
  async invoke(invocation: Invocation): Promise<string> {
    const request = { ...invocation, executionMode: ExecutionMode.ASYNC };
    return (await this.server.functions.invokeFunction(request)).executionId;
  }

  /** Runs what does nothing, as often as is said. */
  async runNothing(times = 1): Promise<void> {
    for (let left = times; left > 0; left -= 1) {
      await this.server.functions.invokeFunction({ task: 'noop', functionName: 'noop' });
    }
  }

  /** The sequence number of the last event so far. */
  async lastSequence(executionId: string): Promise<number> {
    const { lastSequence } = await this.server.functions.getExecutionStatus({ executionId });
    return Number(lastSequence);
  }

  async cancel(executionId: string): Promise<void> {
    await this.server.functions.cancelExecution({ executionId });
    await this.server.functions.waitExecution({ executionId });
  }

  /** Keeps the node at work with executions of `noop`, one after the other, until the test is over. */
  putUnderLoad(): void {
    this.#working = true;
    const work = async () => {
      while (this.#working) await this.runNothing();
    };
    this.#work = work();
    // Told to whoever waits for it in the end; a test that fails before that has its own reason.
    this.#work.catch(() => {});
  }

  async rest(): Promise<void> {
    this.#working = false;
    await this.#work;
  }

  /** Ends what a test has begun, and holds its pages to their word. */
  async tidy(): Promise<void> {
    await this.rest();
    const visits = this.#visits.splice(0);
    const faults = visits.flatMap((each) => each.faults);
    await Promise.all(visits.map((each) => each.close()));
    expect(faults).toEqual([]);
  }
}

/** To be called on top of a file or in a `describe`; `prepare` registers what its tests run. */
export function useSite(flags: ConfigFlags = {}, prepare?: (server: ChildServer) => Promise<unknown>): Site {
  const site = new Site();
  let dataDir = '';
  beforeAll(async () => {
    dataDir = await temporaryDataDir();
    [site.server, site.browser] = await Promise.all([
      spawnServer(dataDir, { slots: '6', ...flags }),
      sharedBrowser(),
    ]);
    await site.server.register('noop', 'noop/noop.wasm', { instancePolicy: InstancePolicy.REUSED });
    await prepare?.(site.server);
  });
  afterEach(() => site.tidy());
  afterAll(async () => {
    await site.server?.end('SIGKILL');
    await rm(dataDir, { recursive: true, force: true });
    const bugs = site.server?.output.filter((line) => line.includes('"msg":"bug:')) ?? [];
    expect(bugs).toEqual([]);
  });
  return site;
}
