/** What a page of somebody else does with a node: its client, as it is bundled for a browser. */
import { createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { FunctionService } from '../../src/server/gen/spearlet/function_pb.js';

/** What the page has seen, as far as it can be given to a test. */
export interface Seen {
  readonly output: string;
  readonly events: readonly string[];
  /** Of a call of a task that is not there. */
  readonly refused: string;
}

const makers = { connect: createConnectTransport, grpcWeb: createGrpcWebTransport };

export async function callNode(
  baseUrl: string,
  token: string,
  protocol: keyof typeof makers,
  useBinaryFormat: boolean,
): Promise<Seen> {
  const transport: Transport = makers[protocol]({ baseUrl, useBinaryFormat });
  const functions = createClient(FunctionService, transport);
  const options = { headers: { authorization: `Bearer ${token}` } };
  const input = new TextEncoder().encode('one two\n');
  const { result } = await functions.invokeFunction({ task: 'wordcount', input }, options);
  const events: string[] = [];
  for await (const { event } of functions.streamFunction({ task: 'ticker', args: ['2'] }, options)) {
    events.push(event.case ?? '');
  }
  const refused = await functions.invokeFunction({ task: 'nothing' }, options).then(
    () => '',
    (error: unknown) => String(error),
  );
  return { output: new TextDecoder().decode(result?.output), events, refused };
}
