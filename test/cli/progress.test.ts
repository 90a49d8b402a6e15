import { Writable } from 'node:stream';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { CommandOutput } from '../../src/cli/output.ts';
import { ProgressDisplay } from '../../src/cli/progress.ts';
import { ArtifactProgressSchema } from '../../src/server/gen/spearlet/task_pb.js';

type Step = MessageInitShape<typeof ArtifactProgressSchema>;

class Screen extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly writes: string[] = [];

  constructor(isTTY: boolean, columns = 80) {
    super({ decodeStrings: false });
    this.isTTY = isTTY;
    this.columns = columns;
  }

  override _write(text: string, _encoding: BufferEncoding, done: () => void): void {
    this.writes.push(text);
    done();
  }

  /** What stands on the last line when all was written over. */
  get line(): string {
    let line = '';
    for (const text of this.writes.join('').split('\r')) line = text + line.slice(text.length);
    return line.trimEnd();
  }
}

async function shown(screen: Screen, steps: readonly Step[]): Promise<ProgressDisplay> {
  const display = new ProgressDisplay({ err: new CommandOutput(screen) });
  for (const step of steps) await display.show(create(ArtifactProgressSchema, step));
  return display;
}

const mebibyte = 1024n * 1024n;

test('a terminal has one line, which is gone at the end', async () => {
  const screen = new Screen(true);
  const display = await shown(screen, [
    { part: 'layer-1', status: 'Downloading', doneBytes: mebibyte, totalBytes: 4n * mebibyte },
    { part: 'layer-2', status: 'Downloading', doneBytes: mebibyte, totalBytes: 2n * mebibyte },
    { part: 'layer-1', status: 'Extracting', doneBytes: 1n, totalBytes: 4n * mebibyte },
  ]);
  expect(screen.line).toBe('spear: layer-1: Extracting (2 parts, 2 MiB of 6 MiB)');
  await display.end();
  expect(screen.line).toBe('');
  expect(screen.writes.join('')).not.toContain('\n');
  expect(screen.writes.join('')).not.toContain('\u001b');
});

test('a line is never as wide as the terminal', async () => {
  const screen = new Screen(true, 30);
  await shown(screen, [{ part: 'x'.repeat(100), status: 'Downloading' }]);
  expect(screen.line).toHaveLength(29);
  const unknown = new Screen(true, 0);
  await shown(unknown, [{ part: 'x'.repeat(100), status: 'Downloading' }]);
  expect(unknown.line).toHaveLength(79);
});

test('bytes of a part whose size nobody knows are told alone', async () => {
  const screen = new Screen(true);
  await shown(screen, [{ part: 'x.wasm', status: 'downloading', doneBytes: 1536n }]);
  expect(screen.line).toBe('spear: x.wasm: downloading (1.5 KiB)');
});

test('bytes are told less often than they come', async () => {
  const screen = new Screen(true);
  const steps = Array.from({ length: 10_000 }, (_, index) => ({
    part: 'x',
    status: 'Downloading',
    doneBytes: BigInt(index),
    totalBytes: 10_000n,
  }));
  await shown(screen, steps);
  expect(screen.writes.length).toBeLessThan(1000);
});

test('a file has no more lines than can be read', async () => {
  const screen = new Screen(false);
  const steps = Array.from({ length: 2000 }, (_, index) => ({ part: String(index), status: 'Waiting' }));
  const display = await shown(screen, steps);
  await display.end();
  expect(screen.writes).toHaveLength(501);
  expect(screen.writes.at(-1)).toBe('spear: and so on\n');
});

test('nothing at all happens where there was no step', async () => {
  const screen = new Screen(true);
  await (await shown(screen, [])).end();
  expect(screen.writes).toEqual([]);
});
