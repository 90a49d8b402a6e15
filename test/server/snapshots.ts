/** Takes and restores snapshots as a client does. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, onTestFinished } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import type {
  RestoreExecutionRequestSchema,
  RestoreExecutionResponse,
  RestoreOptionsSchema,
  SnapshotExecutionRequestSchema,
  SnapshotSummary,
} from '../../src/server/gen/spearlet/snapshot_pb.js';
import { type LocalServer, type Peer, startServer } from '../support/server.ts';

type Take = MessageInitShape<typeof SnapshotExecutionRequestSchema>;
type Options = MessageInitShape<typeof RestoreOptionsSchema>;
type Restore = MessageInitShape<typeof RestoreExecutionRequestSchema>;

export interface Taken {
  readonly summary: SnapshotSummary;
  readonly document: Buffer;
}

export async function take(server: Peer, executionId: string, more: Take = {}): Promise<Taken> {
  const data: Uint8Array[] = [];
  let summary: SnapshotSummary | undefined;
  for await (const { step } of server.snapshots.snapshotExecution({ executionId, ...more } as Take)) {
    if (step.case === 'data') {
      expect(step.value.byteLength).toBeLessThanOrEqual(64 * 1024);
      data.push(step.value);
    } else if (step.case === 'summary') {
      expect(data).toEqual([]);
      summary = step.value;
    }
  }
  if (summary === undefined) throw new Error('there was no summary');
  return { summary, document: Buffer.concat(data) };
}

export function restore(
  server: Peer,
  document: Uint8Array,
  options: Options = {},
  call: Parameters<Peer['snapshots']['restoreExecution']>[1] = {},
): Promise<RestoreExecutionResponse> {
  return server.snapshots.restoreExecution(messages(options, document), call);
}

/** The messages of a restore, in pieces that fit no line. */
export async function* messages(options: Options, document: Uint8Array): AsyncGenerator<Restore> {
  yield { step: { case: 'options', value: options } } as Restore;
  for (let at = 0; at < document.byteLength; at += 50_000) {
    yield { step: { case: 'data', value: document.subarray(at, at + 50_000) } };
  }
}

/** A server of its own for one test, with an empty data folder. */
export async function another(flags: Parameters<typeof startServer>[0] = {}): Promise<LocalServer> {
  const server = await startServer(flags);
  onTestFinished(async () => {
    const { bugs } = server;
    await server.stop();
    expect(bugs).toEqual([]);
  });
  return server;
}

export async function begin(
  server: Peer,
  request: Parameters<Peer['functions']['invokeFunction']>[0],
): Promise<string> {
  const started = await server.functions.invokeFunction({
    ...request,
    executionMode: ExecutionMode.ASYNC,
  } as typeof request);
  return started.executionId;
}

export async function untilIn(server: Peer, executionId: string, state: string): Promise<void> {
  const now = async () => (await server.functions.getExecutionStatus({ executionId })).result?.state;
  await expect.poll(now).toBe(state);
}

export async function untilSequence(server: Peer, executionId: string, sequence: bigint): Promise<void> {
  const now = async () => (await server.functions.getExecutionStatus({ executionId })).lastSequence;
  await expect.poll(now).toBeGreaterThanOrEqual(sequence);
}

/** What restores have left in the folder where documents are spooled. */
export function spooled({ dataDir }: LocalServer): Promise<string[]> {
  return readdir(join(dataDir, 'spool'));
}

/** Files that go with the test. */
export async function files<Names extends string>(
  contents: Readonly<Record<Names, string>>,
): Promise<Record<Names, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const paths = {} as Record<Names, string>;
  for (const [name, content] of Object.entries<string>(contents)) {
    paths[name as Names] = join(folder, name);
    await writeFile(join(folder, name), content, { mode: 0o600 });
  }
  return paths;
}

/** A document that somebody else has written, in good order. */
export function resealed(document: Buffer, change: (text: string) => string): Buffer {
  const body = change(document.toString()).replace(/\{"kind":"seal".*\n\]\}\n$/, '');
  const sha256 = createHash('sha256').update(body).digest('hex');
  return Buffer.from(`${body}{"kind":"seal","sha256":"${sha256}"}\n]}\n`);
}
