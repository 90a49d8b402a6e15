import { connect } from '../src/cli/client.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { register } from './calls.ts';
import type { BenchServer } from './server.ts';
import { median, type Row } from './table.ts';

const chunkBytes = 64 * 1024;
const chunks = 1000;
const rounds = 3;

/** One function's output, as fast as it writes, durable and streamed, against a bare stream of equal chunks. */
export async function streamRow(bare: BenchServer, spear: BenchServer): Promise<Row> {
  const setUp = connect(spear.grpcAddress);
  await register(setUp, 'flood', 'misbehaving/flood.wasm');
  setUp.close();
  const rates: number[][] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    for (const [index, server] of [bare, spear].entries()) {
      const rate = await megabytesPerSecond(
        server,
        server === bare ? String(chunks) : String(chunks * chunkBytes),
      );
      if (round > 0) rates[index]?.push(rate);
    }
  }
  const [bareRates = [], spearRates = []] = rates;
  return {
    what: 'stream of 64 KiB chunks, MB/s',
    spear: median(spearRates).toFixed(0),
    limit: median(bareRates).toFixed(0),
    ratio: median(spearRates.map((rate, index) => rate / (bareRates[index] ?? Number.NaN))),
    goal: '',
  };
}

async function megabytesPerSecond(server: BenchServer, size: string): Promise<number> {
  const connection = connect(server.grpcAddress);
  const start = performance.now();
  let bytes = 0;
  for await (const event of connection
    .service(FunctionService)
    .streamFunction({ task: 'flood', args: [size], maxInlineBytes: 0 })) {
    if (event.event.case === 'chunk') bytes += event.event.value.data.byteLength;
  }
  const seconds = (performance.now() - start) / 1000;
  connection.close();
  if (bytes !== chunks * chunkBytes) throw new Error(`${bytes} bytes arrived`);
  return bytes / 1e6 / seconds;
}
