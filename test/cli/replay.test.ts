import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { beforeAll, expect, test } from 'vitest';
import { ErrorCode, ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { startServer } from '../support/server.ts';
import { errorLine, run, temporaryFolder } from './spear.ts';

interface Report {
  readonly ok: boolean;
  readonly executionId: string;
  readonly lastSequence: number;
  readonly replayedTo: number;
  readonly machine?: { readonly state: string; readonly context: Record<string, unknown> };
  readonly steps: readonly {
    readonly sequence: number;
    readonly from: string;
    readonly to: string;
    readonly changes: Record<string, { before?: unknown; after: unknown }>;
  }[];
  readonly findings: readonly { readonly subject: string; readonly message: string }[];
}

let waiting: Buffer;
let failed: Buffer;

/** Snapshots are taken of a server that is gone when they are replayed. */
beforeAll(async () => {
  const server = await startServer();
  try {
    await server.register('exit', 'misbehaving/exit.wasm', {
      retry: { maxAttempts: 2, initial: durationFromMs(10), jitter: 0, on: [ErrorCode.FUNCTION_EXIT] },
    });
    const later = await server.functions.invokeFunction({
      task: 'exit',
      executionMode: ExecutionMode.ASYNC,
      startAfter: durationFromMs(3_600_000),
    });
    const ended = await server.functions.invokeFunction({ task: 'exit', args: ['7'] });
    const taken = async (id: string) => (await run(['snapshot', id], { address: server.grpcAddress })).stdout;
    waiting = await taken(later.executionId);
    failed = await taken(ended.executionId);
  } finally {
    await server.stop();
  }
});

async function fileOf(document: Buffer): Promise<string> {
  const file = join(await temporaryFolder(), 'snapshot.json');
  await writeFile(file, document);
  return file;
}

async function reportOf(document: Buffer, ...flags: string[]): Promise<Report> {
  const { stdout, stderr } = await run(['replay', await fileOf(document), '--json', ...flags]);
  expect(stderr).toBe('');
  return JSON.parse(stdout.toString()) as Report;
}

/** A document with other words, and a seal that fits. */
function altered(document: Buffer, find: string | RegExp, by: string): Buffer {
  const text = document.toString();
  const body = text.replace(find, by).replace(/\{"kind":"seal".*\n\]\}\n$/, '');
  expect(body).not.toBe(text.replace(/\{"kind":"seal".*\n\]\}\n$/, ''));
  const sha256 = createHash('sha256').update(body).digest('hex');
  return Buffer.from(`${body}{"kind":"seal","sha256":"${sha256}"}\n]}\n`);
}

test('each step of what has ended is told, with what it changed, and the record says the same', async () => {
  const { code, stdout, stderr } = await run(['replay', await fileOf(failed)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const text = stdout.toString();
  expect(text).toMatch(/^exec_\w+ of task exit, events 1 to \d+\n#1 \S+Z pending\.queued/);
  expect(text).toMatch(/\n#\d+ \S+Z running\.backingOff → running\.attempting \(dispatch\), attempt 2\n/);
  expect(text).toMatch(/\n {4}attempt: 1 → 2\n/);
  expect(text).toMatch(/\n {4}totalDeadline: none yet\n/);
  expect(text).toMatch(/\n {4}totalDeadline: none yet → \d{4}-\d\d-\d\dT\S+Z\n/);
  expect(text).toMatch(/\n#\d+ \S+Z running\.attempting → failed \(result, FUNCTION_EXIT\), attempt 2\n/);
  expect(text).toMatch(/\nafter event (\d+) of \1: failed, chart version \d+\nthe record says the same\n$/);
});

test('with --json it is one document', async () => {
  const report = await reportOf(waiting);
  expect(report).toMatchObject({
    ok: true,
    lastSequence: 1,
    replayedTo: 1,
    machine: { state: 'pending.waiting', context: { attempt: 0, executionId: report.executionId } },
    steps: [{ sequence: 1, from: '', to: 'pending.waiting', changes: { attempt: { after: 0 } } }],
    findings: [],
  });
});

test('a document that an earlier version wrote is replayed', async () => {
  const report = await reportOf(
    await readFile(new URL('../server/stored/version-1.snapshot', import.meta.url)),
  );
  expect(report).toMatchObject({ ok: true, machine: { state: 'pending.queued' }, findings: [] });
});

test('a document comes through a pipe as well', async () => {
  const { code, stdout, stderr } = await run(['replay', '-'], { input: waiting });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout.toString()).toContain('after event 1 of 1: pending.waiting');
});

test('--until stops after an event, and holds nothing against a record of later', async () => {
  const whole = await reportOf(failed);
  const second = whole.steps[1];
  const report = await reportOf(failed, '--until', String(second?.sequence));
  expect(report).toMatchObject({
    ok: true,
    replayedTo: second?.sequence,
    machine: { state: 'running.attempting', context: { attempt: 1 } },
  });
  expect(report.steps).toEqual(whole.steps.slice(0, 2));
  const { stdout } = await run(['replay', await fileOf(failed), '--until', '1']);
  expect(stdout.toString()).not.toContain('the record says');

  for (const wrong of ['0', '99']) {
    const beyond = await run(['replay', await fileOf(failed), '--until', wrong]);
    expect(beyond.code).toBe(64);
    expect(errorLine(beyond)).toContain(`--until: is ${wrong}; allowed is 1 to ${whole.lastSequence}`);
  }
  const word = await run(['replay', await fileOf(failed), '--until', 'last']);
  expect(word.code).toBe(64);
  expect(errorLine(word)).toContain('--until: is "last"; allowed is a whole number');
});

test.for<[string, () => Buffer, string]>([
  [
    'a deadline of the record',
    () => altered(failed, /"deadlines":\{"total":\d+/, '"deadlines":{"total":1000'),
    'deadlines.total: is 1000 in the snapshot, and the log leads to ',
  ],
  [
    'the machine of the snapshot',
    () => altered(waiting, /("kind":"machine".*"recoveries":)0/, '$12'),
    'machine.context.recoveries: is 2 in the snapshot, and the log leads to 0',
  ],
  [
    'a transition that does not begin where the one before ended',
    () => altered(failed, '"from":"running.backingOff"', '"from":"running.stopping"'),
    'goes on from running.stopping, and the log has led to running.backingOff',
  ],
])('a difference is found and exits with 1: %s', async ([, document, finding]) => {
  const { code, stdout, stderr } = await run(['replay', await fileOf(document())]);
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
  expect(stdout.toString()).toContain(finding);
  expect(stdout.toString()).toContain('1 findings\n');
  expect(stdout.toString()).not.toContain('the record says the same');
});

test('a log of a chart that is not known makes no machine, and its steps are told all the same', async () => {
  const report = await reportOf(
    altered(failed, /("from":"running.backingOff".*?"chartVersion":)\d+/, '$1999999'),
  );
  expect(report.ok).toBe(false);
  expect(report.machine).toBeUndefined();
  expect(report.steps.length).toBeGreaterThan(1);
  expect(report.findings).toEqual([
    { subject: 'log', message: expect.stringContaining('makes no machine: it was written by version') },
  ]);
});

test('a file that cannot be read, is damaged or is no snapshot is named with its line and what is allowed', async () => {
  const folder = await temporaryFolder();
  const refused = async (file: string): Promise<string> => {
    const ended = await run(['replay', file]);
    expect(ended.code).toBe(64);
    expect(ended.stdout.toString()).toBe('');
    return errorLine(ended);
  };
  expect(await refused(join(folder, 'none.json'))).toContain('none.json": there is no such file');
  expect(await refused(folder)).toContain('is a folder; allowed is a file');
  const damaged = await fileOf(Buffer.from(failed.toString().replace('"mode":"sync"', '"mode":"none"')));
  expect(await refused(damaged)).toMatch(
    /FILE ".*snapshot\.json": .* line \d+: the digest of the document is/,
  );
  const wrong = await fileOf(altered(failed, '"mode":"sync"', '"mode":"none"'));
  expect(await refused(wrong)).toMatch(
    /FILE ".*": .* line \d+: record\.record\.mode is "none"; allowed is sync, async, stream/,
  );
  expect(await refused(await fileOf(Buffer.from('{}\n')))).toMatch(
    /FILE ".*": .* line 1: .*is this a snapshot/,
  );
});
