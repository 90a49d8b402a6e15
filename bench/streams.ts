import { connect } from '../src/client/channel.ts';
import { FunctionService } from '../src/server/gen/spearlet/function_pb.js';
import { register } from './calls.ts';
import { inTurn, pairRow } from './rounds.ts';
import type { BenchServer } from './server.ts';
import type { Row } from './table.ts';

const chunkBytes = 64 * 1024;
const chunks = 1000;

/** One function's output, as fast as it writes, durable and streamed, against a bare stream of equal chunks. */
export async function streamRow(bare: BenchServer, spear: BenchServer): Promise<Row> {
  const setUp = connect(spear.grpcAddress);
  await register(setUp, 'flood', 'misbehaving/flood.wasm');
  setUp.close();
  const rates = await inTurn(bare, spear, (server) =>
    megabytesPerSecond(server, String(server === bare ? chunks : chunks * chunkBytes)),
  );
  return pairRow('stream of 64 KiB chunks, MB/s', rates, '');
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
