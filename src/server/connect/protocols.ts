/**
 * What the content type of a request says about the protocol that it speaks: Connect
 * (https://connectrpc.com/docs/protocol) or gRPC-Web
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { DescMethod } from '@bufbuild/protobuf';
import { invalidArgument, quote, RequestError } from '../../domain/errors.ts';

export interface Protocol {
  /** `connect` is that of unary methods: the body is the message. The others have envelopes around messages. */
  readonly name: 'connect' | 'connect-stream' | 'grpc-web';
  readonly codec: 'json' | 'proto';
  /** The envelopes are in base64. */
  readonly text?: true;
  /** Of the answer, and of the request. */
  readonly contentType: string;
}

const protocols: ReadonlyMap<string, Protocol> = new Map(
  (
    [
      { name: 'connect', codec: 'json', contentType: 'application/json' },
      { name: 'connect', codec: 'proto', contentType: 'application/proto' },
      { name: 'connect-stream', codec: 'json', contentType: 'application/connect+json' },
      { name: 'connect-stream', codec: 'proto', contentType: 'application/connect+proto' },
      { name: 'grpc-web', codec: 'proto', contentType: 'application/grpc-web' },
      { name: 'grpc-web', codec: 'proto', contentType: 'application/grpc-web+proto' },
      { name: 'grpc-web', codec: 'json', contentType: 'application/grpc-web+json' },
      { name: 'grpc-web', codec: 'proto', text: true, contentType: 'application/grpc-web-text' },
      { name: 'grpc-web', codec: 'proto', text: true, contentType: 'application/grpc-web-text+proto' },
    ] as const satisfies readonly Protocol[]
  ).map((protocol) => [protocol.contentType, protocol]),
);

/** What a method may be called by. */
export function protocolsOf(method: DescMethod): Protocol[] {
  const without = method.methodKind === 'unary' ? 'connect-stream' : 'connect';
  return [...protocols.values()].filter(({ name }) => name !== without);
}

/** Undefined for a type that is none of the method's. */
export function protocolOf(method: DescMethod, headers: IncomingHttpHeaders): Protocol | undefined {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  const found = protocols.get(type.trim().toLowerCase());
  return found !== undefined && protocolsOf(method).includes(found) ? found : undefined;
}

/** How each protocol says that messages are compressed. */
const encodingHeaders = {
  connect: 'content-encoding',
  'connect-stream': 'connect-content-encoding',
  'grpc-web': 'grpc-encoding',
} as const satisfies Record<Protocol['name'], string>;

/**
 * Throws unimplemented for messages that are compressed, which few bytes could make many of, and invalid_argument for
 * another version of Connect.
 */
export function checkProtocol({ name }: Protocol, headers: IncomingHttpHeaders): void {
  const header = encodingHeaders[name];
  const encoding = [headers[header] ?? 'identity'].flat().join(', ').trim().toLowerCase();
  if (encoding !== 'identity' && encoding !== '') {
    throw new RequestError('unimplemented', `${header}: is ${quote(encoding)}; allowed is identity`, {
      reason: 'ENCODING_NOT_SUPPORTED',
    });
  }
  const version = headers['connect-protocol-version'];
  if (name !== 'grpc-web' && version !== undefined && version !== '1') {
    throw invalidArgument(
      'Connect-Protocol-Version',
      `is ${quote([version].flat().join(', '))}; allowed is 1`,
    );
  }
}

const unitsMs = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const;
/** As over gRPC: what is further away is no deadline, in milliseconds. */
const longestMs = 24 * 24 * 60 * 60 * 1000;

/** How long the caller waits, in milliseconds; undefined for as long as it takes. Throws invalid_argument. */
export function timeoutOf({ name }: Protocol, headers: IncomingHttpHeaders): number | undefined {
  const ms = name === 'grpc-web' ? grpcTimeout(headers) : connectTimeout(headers);
  return ms === undefined || ms > longestMs ? undefined : ms;
}

function connectTimeout(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['connect-timeout-ms'];
  if (text === undefined) return undefined;
  if (typeof text === 'string' && /^\d{1,10}$/.test(text)) return Number(text);
  throw invalidArgument(
    'Connect-Timeout-Ms',
    `is ${quote([text].flat().join(', '))}; allowed is a whole number of milliseconds of at most 10 digits`,
  );
}

function grpcTimeout(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['grpc-timeout'];
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec([text].flat().join(', ')) ?? [];
  if (digits !== undefined) return Number(digits) * unitsMs[unit as keyof typeof unitsMs];
  throw invalidArgument(
    'grpc-timeout',
    `is ${quote([text].flat().join(', '))}; allowed are at most 8 digits and one of H, M, S, m, u, n`,
  );
}
