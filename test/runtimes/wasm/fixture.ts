import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import type { Clock } from '../../../src/domain/clock.ts';
import type { TaskDefinition } from '../../../src/domain/task.ts';
import { createWasmRuntime, type WasmRuntimeOptions } from '../../../src/runtimes/wasm/runtime.ts';
import { checkedFolder } from '../../support/checked-artifacts.ts';

const mebibyte = 1024 * 1024;

export type WasmRuntime = ReturnType<typeof createWasmRuntime>;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, ring) {
    const timer = setTimeout(ring, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** Artifacts by digest, the folder that they are transpiled into, and runtimes over both. */
export class WasmBench {
  readonly artifacts = new Map<string, Uint8Array>();
  readonly #folder = mkdtemp(join(tmpdir(), 'spear-wasm-'));
  readonly #runtimes: WasmRuntime[] = [];
  readonly #sharesCache: boolean;

  /** @param options.ownCache for what is about checking and transpiling; others share it with the whole test run */
  constructor(options: { readonly ownCache?: boolean } = {}) {
    this.#sharesCache = options.ownCache !== true;
  }

  get folder(): Promise<string> {
    return this.#folder;
  }

  async runtime(
    workers = 2,
    maxWorkers = workers,
    options: Partial<WasmRuntimeOptions> = {},
  ): Promise<WasmRuntime> {
    const own = join(await this.#folder, 'cache');
    const runtime = createWasmRuntime({
      cacheDir: this.#sharesCache ? (checkedFolder() ?? own) : own,
      hosts: workers,
      maxHosts: maxWorkers,
      clock: systemClock,
      loadArtifact: async (sha256) => {
        const bytes = this.artifacts.get(sha256);
        if (bytes === undefined) throw new Error(`no artifact ${sha256}`);
        return bytes;
      },
      saveArtifact: async (bytes) => {
        const sha256 = digest(bytes);
        this.artifacts.set(sha256, bytes);
        return { sha256, sizeBytes: bytes.length };
      },
      maxArtifactBytes: 8 * mebibyte,
      allowPrivateHosts: false,
      ...options,
    });
    this.#runtimes.push(runtime);
    return runtime;
  }

  task(bytes: Uint8Array, rest: Partial<TaskDefinition> = {}): TaskDefinition {
    const sha256 = digest(bytes);
    this.artifacts.set(sha256, bytes);
    return {
      name: 'guest',
      description: '',
      runtime: 'wasm',
      artifact: { kind: 'wasm', sha256, sizeBytes: bytes.length },
      args: [],
      environment: {},
      preopens: {},
      allowNetwork: false,
      timeouts: {},
      graceMs: 5000,
      limits: { memory: 64 * mebibyte, maxOutputBytes: 64 * mebibyte, maxOutputEvents: 100_000 },
      retry: { maxAttempts: 1, initialMs: 200, factor: 2, maxMs: 30_000, jitter: 0, on: [] },
      instancePolicy: 'fresh',
      user: '',
      workingDirectory: '',
      warm: { min: 0, max: 1024, idleTimeoutMs: 60_000, startAhead: false },
      ...rest,
    };
  }

  /** A task of `examples/<path>.wasm`. */
  async example(path: string, rest: Partial<TaskDefinition> = {}): Promise<TaskDefinition> {
    return this.task(await readExample(path), rest);
  }

  async wat(source: string, rest: Partial<TaskDefinition> = {}): Promise<TaskDefinition> {
    return this.task(await parse(source), rest);
  }

  async close(): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
    await rm(await this.#folder, { recursive: true, force: true });
  }
}

export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function readExample(path: string): Promise<Uint8Array> {
  return readFile(new URL(`../../../examples/${path}.wasm`, import.meta.url));
}

export function limits(memory: number): Partial<TaskDefinition> {
  return { limits: { memory, maxOutputBytes: 64 * mebibyte, maxOutputEvents: 100_000 } };
}
