import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../src/server/gen/spearlet/task_pb.js';
import { compileWasi } from '../test/support/wasi.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';

const rounds = 5;
const writes = 20_000;
const largeBytes = 100 * 1024 * 1024;

/** What a preopened folder costs a guest, against the same calls of `node:fs`. The server must allow host access. */
export async function fileRows(spear: BenchServer): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-files-'));
  const connection = connect(spear.grpcAddress, spear.credentials);
  try {
    await writeFile(join(folder, 'large'), Buffer.alloc(largeBytes, 1));
    const content = await compileWasi(new URL('./files.c', import.meta.url));
    await connection.service(TaskService).registerTask({
      definition: {
        name: 'files',
        runtime: RuntimeKind.WASM,
        artifact: { source: { case: 'content', value: content } },
        preopens: { '/data': folder },
      },
    });
    const functions = connection.service(FunctionService);
    const pairs: { bare: Measured; guest: Measured }[] = [];
    for (let round = 0; round <= rounds; round++) {
      const bare = measureBare(folder);
      const args = [String(writes), '/data/small', '/data/large'];
      const { result } = await functions.invokeFunction({ task: 'files', args });
      const [each = Number.NaN, reads = Number.NaN] = Buffer.from(result?.output ?? [])
        .toString()
        .split(' ')
        .map(Number);
      if (round > 0) pairs.push({ bare, guest: { eachWriteUs: each, readsMs: reads } });
    }
    const over = median(pairs.map(({ bare, guest }) => guest.eachWriteUs - bare.eachWriteUs));
    return [
      {
        what: 'write of 16 bytes to a preopen, median µs over fs.writeSync',
        spear: over.toFixed(1),
        limit: '10',
        ratio: over / 10,
        goal: '<= 1',
      },
      {
        what: '100 MB of a preopen in reads of 4 KiB, median ms',
        spear: median(pairs.map(({ guest }) => guest.readsMs)).toFixed(0),
        limit: median(pairs.map(({ bare }) => bare.readsMs)).toFixed(0),
        ratio: median(pairs.map(({ bare, guest }) => guest.readsMs / bare.readsMs)),
        goal: '<= 3',
      },
    ];
  } finally {
    connection.close();
    await rm(folder, { recursive: true, force: true });
  }
}

interface Measured {
  readonly eachWriteUs: number;
  readonly readsMs: number;
}

function measureBare(folder: string): Measured {
  const block = Buffer.alloc(4096);
  const out = openSync(join(folder, 'bare'), 'w');
  let start = performance.now();
  for (let index = 0; index < writes; index++) writeSync(out, block, 0, 16);
  const eachWriteUs = ((performance.now() - start) * 1000) / writes;
  closeSync(out);
  const input = openSync(join(folder, 'large'), 'r');
  start = performance.now();
  while (readSync(input, block, 0, block.length, null) > 0);
  const readsMs = performance.now() - start;
  closeSync(input);
  return { eachWriteUs, readsMs };
}
