/**
 * One function's output, as fast as it writes, durable and streamed, against a bare stream of equal chunks.
 *
 *     node bench/streams.ts
 */
import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { register } from './calls.ts';
import { processorTime } from './processor-time.ts';
import { inTurn, type Pair, pairRow } from './rounds.ts';
import { type BenchServer, startBare, startSpear } from './server.ts';
import { printTable, type Row } from './table.ts';

const chunkBytes = 64 * 1024;
const chunks = 1000;
const megabytes = (chunks * chunkBytes) / 1e6;

interface Measured {
  readonly megabytesPerSecond: number;
  /** Of the server's process, for each megabyte. */
  readonly processorUs: number;
}

/** Throughput, and the processor time of the server. */
export async function streamRows(bare: BenchServer, spear: BenchServer): Promise<Row[]> {
  const setUp = connect(spear.grpcAddress);
  await register(setUp, 'flood', 'misbehaving/flood.wasm');
  setUp.close();
  const pairs = await inTurn(bare, spear, (server) =>
    stream(server, String(server === bare ? chunks : chunks * chunkBytes)),
  );
  const of = (key: keyof Measured): Pair<number>[] =>
    pairs.map(([limit, own]) => [limit[key], own[key]] as const);
  return [
    pairRow('stream of 64 KiB chunks, MB/s', of('megabytesPerSecond'), '>= 0.45'),
    pairRow('the same, processor time of the server, µs for each MB', of('processorUs'), ''),
  ];
}

async function stream({ grpcAddress, pid }: BenchServer, size: string): Promise<Measured> {
  const connection = connect(grpcAddress);
  const before = processorTime(pid).node;
  const start = performance.now();
  let bytes = 0;
  for await (const event of connection
    .service(FunctionService)
    .streamFunction({ task: 'flood', args: [size], maxInlineBytes: 0 })) {
    if (event.event.case === 'chunk') bytes += event.event.value.data.byteLength;
  }
  const seconds = (performance.now() - start) / 1000;
  const processorUs = (processorTime(pid).node - before) / megabytes;
  connection.close();
  if (bytes !== chunks * chunkBytes) throw new Error(`${bytes} bytes arrived`);
  return { megabytesPerSecond: megabytes / seconds, processorUs };
}

if (import.meta.main) {
  const bare = await startBare();
  const spear = await startSpear();
  printTable(await streamRows(bare, spear));
  await Promise.all([bare.stop(), spear.stop()]);
}
