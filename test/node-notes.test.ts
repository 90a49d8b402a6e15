import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { leaveNote } from '../src/node/node-note.ts';
import { isLoopback, noteOf } from '../src/node-notes.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'spear-notes-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

it.each([
  ['127.0.0.1:50051', ['127.0.0.1', 'localhost', '::1'], ['127.0.0.2']],
  ['127.0.0.2:50051', ['127.0.0.2'], ['127.0.0.1', 'localhost', '::1']],
  ['[::1]:50051', ['::1', 'localhost', '127.0.0.1'], ['127.0.0.2']],
  ['0.0.0.0:50051', ['127.0.0.1', '127.0.0.2', 'localhost'], []],
])('a node at %s is found at %j and not at %j', async (address, at, notAt) => {
  const notes = await folder();
  const note = leaveNote(notes, { grpcAddress: address, socket: '/run/node.sock', tls: false });
  for (const host of at) expect(noteOf(notes, host, 50051)?.socket, host).toBe('/run/node.sock');
  for (const host of notAt) expect(noteOf(notes, host, 50051)?.socket, host).toBeUndefined();
  expect(noteOf(notes, '127.0.0.1', 50052)?.socket).toBeUndefined();
  note.remove();
  for (const host of at) expect(noteOf(notes, host, 50051)?.socket).toBeUndefined();
});

it('a note of a node that has ended, and what is no note, is not followed', async () => {
  const notes = await folder();
  for (const text of ['', '{', '[]', '{"grpcAddress":"127.0.0.1:1","socket":"/x","pid":-1}']) {
    await writeFile(join(notes, '1.json'), text);
    expect(noteOf(notes, '127.0.0.1', 1)?.socket).toBeUndefined();
  }
});

it('a node removes its own note, and not that of the next one at its port', async () => {
  const notes = await folder();
  const note = leaveNote(notes, { grpcAddress: '127.0.0.1:7', socket: '/first', tls: true });
  const parent = { grpcAddress: '127.0.0.1:7', socket: '/second', pid: process.ppid };
  await writeFile(join(notes, '7.json'), JSON.stringify(parent));
  note.remove();
  expect(noteOf(notes, '127.0.0.1', 7)?.socket).toBe('/second');
});

it.each(['127.0.0.1', '127.255.0.9', 'localhost', '::1'])('%s is of this machine', (host) => {
  expect(isLoopback(host)).toBe(true);
});

it.each(['127.example', '127.0.0.1.example', '128.0.0.1', '::2', ''])('%j is not known to be', (host) => {
  expect(isLoopback(host)).toBe(false);
});
