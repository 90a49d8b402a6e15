import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import { sealOf } from '../../../../src/actors/snapshots/seals.ts';
import type { NewEvent } from '../../../../src/domain/event.ts';
import type { ExecutionRecord } from '../../../../src/domain/execution.ts';
import {
  EventLines,
  firstLine,
  lastLine,
  partLine,
  sealLine,
} from '../../../../src/domain/snapshot/writer.ts';
import { snapshotSubject } from '../../../../src/visualizer/page/actions/snapshot-subject.ts';
import { lifetimeOf } from '../../../../src/visualizer/page/execution/log/lifetime.ts';
import { openFile } from '../../../../src/visualizer/page/execution/offline-source.ts';
import type { LogEvent } from '../../../../src/visualizer/page/model/log-event.ts';
import type { Recording } from './recording.ts';
import { completed, failedAfterRetries, recordings, suspended } from './recordings.ts';

const file = (text: string | Blob, name = 'a-file') => new File([text], name);

test.each(Object.keys(recordings))('the history of %s is what was recorded', async (name) => {
  const run = recordings[name]?.() as Recording;
  const source = await openFile(file(run.history(), 'history.ndjson'));
  expect(source).toMatchObject({ id: run.id, live: false, fileName: 'history.ndjson' });
  expect(source.events.slice(0)).toEqual(run.log().slice(0));
  expect(source.record.value).toEqual(run.row());
  expect(source.fault.value).toBe('');
});

test.each([completed, failedAfterRetries, suspended])(
  'a snapshot shows what its log says (%o)',
  async (make) => {
    const run = make();
    const source = await openFile(file(snapshotOf(run)));
    const plain = (event: LogEvent) => ({
      ...event,
      position: 0,
      ...(event.kind === 'result' && { result: undefined }),
    });
    expect(source.events.slice(0).map(plain)).toEqual(run.log().slice(0).map(plain));
    const row = run.row();
    expect(source.record.value).toMatchObject({
      id: row.id,
      status: row.status,
      errorCode: row.errorCode,
      errorOrigin: row.errorOrigin,
      taskName: row.taskName,
    });
    expect(source.fault.value).toBe('');
    expect(await source.invocation?.()).toMatchObject({
      parameters: { a: 1 },
      input: new TextEncoder().encode('hello'),
    });
  },
);

test('a snapshot of what went on has lasted until it was taken', async () => {
  const run = suspended();
  const takenAt = run.row().createdAt + 90_000;
  const header = partLine({ kind: 'header', takenAt } as never);
  const text = snapshotOf(run).replace(firstLine, firstLine + header);
  const source = await openFile(file(text));
  const row = source.record.value as NonNullable<typeof source.record.value>;
  expect(lifetimeOf(source.events, row)).toEqual({ from: row.createdAt, to: takenAt });
  expect(row.queueTimeMs).toBe(90_000);
});

test('what a snapshot is of can be told before it is restored', async () => {
  const [ended, open] = [completed(), suspended()];
  expect(await snapshotSubject(file(snapshotOf(ended)))).toEqual({ id: ended.id, status: 'completed' });
  expect(await snapshotSubject(file(snapshotOf(open)))).toEqual({ id: open.id, status: 'running' });
  expect(await snapshotSubject(file(ended.history()))).toBeUndefined();
  expect(await snapshotSubject(file(`${firstLine}nonsense\n`))).toBeUndefined();
});

test('a snapshot that was changed is shown, and says so', async () => {
  const text = snapshotOf(completed()).replace('"taskName":"thumbnail"', '"taskName":"Thumbnail"');
  const source = await openFile(file(text));
  expect(source.fault.value).toMatch(/seal does not fit/);
});

const { privateKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519').privateKey;

test('a snapshot that was signed names its key, and the signature holds', async () => {
  const source = await openFile(file(snapshotOf(completed(), privateKey)));
  const { publicKey } = sealOf('', privateKey);
  const keyId = createHash('sha256')
    .update(Buffer.from(publicKey ?? '', 'base64'))
    .digest('hex');
  expect(source.signature).toEqual({ verdict: 'valid', publicKey, keyId });
  expect(source.fault.value).toBe('');
});

test('a signature that is not of its key is a failure', async () => {
  const [mine, theirs] = [privateKey, other].map((key) => sealOf('0', key).publicKey as string);
  const text = snapshotOf(completed(), privateKey).replace(mine as string, theirs as string);
  const source = await openFile(file(text));
  expect(source.signature).toMatchObject({ verdict: 'broken', publicKey: theirs });
  expect(source.fault.value).toMatch(/signature is broken/);
});

test.each([
  ['publicKey', 'AAAA'],
  ['publicKey', '%%%'],
  ['signature', 'AAAA'],
  ['signature', '%%%'],
])('a %s of %s is a failure', async (name, value) => {
  const text = snapshotOf(completed(), privateKey).replace(
    new RegExp(`"${name}":"[^"]*"`),
    `"${name}":"${value}"`,
  );
  const source = await openFile(file(text));
  expect(source.signature?.verdict).toBe('broken');
  expect(source.fault.value).toMatch(/signature is broken/);
});

test('a signature vouches for no document that was changed after it', async () => {
  const text = snapshotOf(completed(), privateKey).replace(
    '"taskName":"thumbnail"',
    '"taskName":"Thumbnail"',
  );
  const source = await openFile(file(text));
  expect(source.signature?.verdict).toBe('broken');
  expect(source.fault.value).toMatch(/seal does not fit/);
});

test('a snapshot that nobody signed says so, and a history cannot be signed', async () => {
  expect((await openFile(file(snapshotOf(completed())))).signature?.verdict).toBe('unsigned');
  expect((await openFile(file(completed().history()))).signature).toBeUndefined();
});

test.each(['subtle', 'Ed25519'])('without %s in the browser a signature is not checked', async (lack) => {
  const { subtle } = crypto;
  const lacking = {
    digest: subtle.digest.bind(subtle),
    importKey: () => Promise.reject(new DOMException('Unrecognized name', 'NotSupportedError')),
  };
  vi.stubGlobal('crypto', lack === 'subtle' ? {} : { subtle: lacking });
  try {
    const source = await openFile(file(snapshotOf(completed(), privateKey)));
    expect(source.signature?.verdict).toBe('not checked');
    expect(source.fault.value).toBe('');
  } finally {
    vi.unstubAllGlobals();
  }
});

test('a history that was cut off shows what it has, and says so', async () => {
  const whole = completed().history();
  const within = await openFile(file(whole.slice(0, -100)));
  expect(within.fault.value).toMatch(/cut off/);
  const between = await openFile(file(whole.slice(0, whole.trimEnd().lastIndexOf('\n') + 1)));
  expect(between.fault.value).toMatch(/ends with event 29; the execution had 30/);
});

/** A history with one of its lines, from 1, put otherwise. */
function altered(number: number, change: (text: string) => string | undefined): File {
  const lines = completed().history().trimEnd().split('\n');
  const changed = lines.flatMap((text, index) => (index === number - 1 ? (change(text) ?? []) : text));
  return file(`${changed.join('\n')}\n`);
}

test('a history without some of its events says which they are', async () => {
  expect((await openFile(altered(6, () => undefined))).fault.value).toBe('Event 5 is missing in the file.');
  expect((await openFile(altered(2, () => undefined))).fault.value).toBe('Event 1 is missing in the file.');
  const later = altered(1, (text) => text.replace('"oldestSequence":"1"', '"oldestSequence":"2"'));
  expect((await openFile(later)).fault.value).toBe('');
  const lines = completed().history().split('\n');
  const holed = [...lines.slice(0, 5), ...lines.slice(8, 20), ...lines.slice(21)].join('\n');
  expect((await openFile(file(holed))).fault.value).toBe('Events 5 to 7, 20 are missing in the file.');
});

test.each([
  ['sequence', '"x"', /line 6: its sequence is "x"/],
  ['sequence', '"1e3"', /line 6: its sequence is "1e3"/],
  ['sequence', '"2"', /line 6: event 2 comes after event 4/],
  ['time', '"yesterday"', /line 6: its time is "yesterday"/],
  ['time', '17', /line 6: its time is 17/],
  ['status', '"EXECUTION_STATUS_ODD"', /line 6: its status is "EXECUTION_STATUS_ODD"/],
  ['attempt', '-1', /line 6: its attempt is -1/],
  ['chunk', '{"data":"%%%"}', /line 6 is damaged/],
  ['transition', 'null', /line 6: its transition.to is none/],
])('an event whose %s is %s is refused, with its line', async (name, value, message) => {
  const damaged = altered(6, (text) => text.replace(/\}$/, `,"${name}":${value}}`));
  await expect(openFile(damaged)).rejects.toThrow(message);
});

test.each([
  ['status', '"ODD"', /line 1: its status is "ODD"/],
  ['createdAt', '"x"', /line 1: its createdAt is "x"/],
  ['metadata', 'null', /line 1 is damaged/],
])('a record whose %s is %s is refused', async (name, value, message) => {
  const change = (text: string) => text.replace('},"lastSequence"', `,"${name}":${value}},"lastSequence"`);
  const damaged = altered(1, change);
  await expect(openFile(damaged)).rejects.toThrow(message);
});

test.each([
  ['', /it is empty/],
  ['{"result":{"executionId":"exec_x"}}\n', /line 1: its executionId is "exec_x"/],
  ['{"result":{"executionId":"exec_00000000000000000000000000"}}\n', /line 1: its status is none/],
  ['hello\nworld\n', /neither a history nor a snapshot of Spear: it begins with "hello"/],
  ['{"a":1}\n', /JSON, but neither/],
  ['[1]\n', /neither a history nor a snapshot/],
  ['{"spearSnapshot":9,"parts":[\n]}\n', /snapshot of version 9/],
  ['{"spearSnapshot": 1, "parts": []}', /reformatted/],
  [firstLine, /cut off/],
  [`${firstLine}{"kind":"events","events":[]},\n`, /events before the record/],
  [`${completed().history()}nonsense\n`, /line 32 is not JSON/],
  [
    `${completed().history()}${failedAfterRetries().history().split('\n')[1]}\n`,
    /line 32 is not an event of/,
  ],
])('%j is refused', async (text, message) => {
  await expect(openFile(file(text))).rejects.toThrow(message);
});

test('bytes that are no text are refused as well', async () => {
  await expect(openFile(file(new Blob([new Uint8Array(5000).fill(0xfe)])))).rejects.toThrow(/neither/);
});

/** As the domain writes it. */
function snapshotOf(run: Recording, signing?: KeyObject): string {
  const row = run.row();
  const events = run.log().slice(0);
  const failed = row.errorCode !== '';
  const record = {
    ...{ executionId: row.id, taskId: row.taskId, taskName: row.taskName, taskRevision: 3, functionName: '' },
    ...{ mode: 'async', invocationId: '', payloadDigest: '', requestId: '', metadata: {}, contentType: '' },
    ...{ cancelOnDisconnect: false, deadlines: { total: 1 }, status: row.status, state: row.state },
    ...{ attempt: row.attempt, instanceId: '', createdAt: row.createdAt, queueTimeMs: 1, executionTimeMs: 2 },
    ...{ lastSequence: events.length, attemptSequence: 0, outputBytes: row.outputBytes, outputEvents: 1 },
    ...{ droppedBytes: 0, resourceUse: {} },
    ...(failed && { outcome: { status: row.status, code: row.errorCode, message: row.errorMessage } }),
  } as unknown as ExecutionRecord;
  const lines = new EventLines();
  const texts = events.flatMap((event) => lines.add(newEvent(event)) ?? []);
  const parts = [
    partLine({ kind: 'record', record }),
    partLine({
      kind: 'invocation',
      invocation: {
        ...{ functionName: '', parameters: { a: 1 }, contentType: '', args: [], forceNewInstance: false },
        ...{ environment: { SECRET: null }, inputBytes: 5 },
      },
    }),
    partLine({ kind: 'input', data: new TextEncoder().encode('hello') }),
    ...texts,
    lines.end() ?? '',
  ];
  const body = firstLine + parts.join('');
  const sha256 = createHash('sha256').update(body).digest('hex');
  return body + sealLine(sealOf(sha256, signing)) + lastLine;
}

function newEvent(event: LogEvent): NewEvent {
  const { sequence, time, status, attempt } = event;
  const head = { sequence, time, status, attempt };
  if (event.kind === 'transition') return { ...head, kind: 'transition', ...event.transition };
  if (event.kind === 'chunk') return { ...head, kind: 'chunk', ...event.chunk };
  return { ...head, kind: 'result' };
}
