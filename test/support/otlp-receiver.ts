/**
 * A receiver of traces by OTLP over HTTP, as the specification says: it takes `ExportTraceServiceRequest` as JSON and
 * refuses with 400 what has a field that there is not, or a value of another type.
 */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Check = (value: unknown, path: string) => void;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly flags?: number;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly ReceivedAttribute[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly ReceivedAttribute[] }[];
  readonly status?: { readonly code: number; readonly message?: string };
}

interface ReceivedAttribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

export interface OtlpReceiver {
  /** As `--otlp-endpoint` takes it. */
  readonly endpoint: string;
  readonly spans: readonly ReceivedSpan[];
  /** Attributes of the resource of the last request. */
  readonly resource: Readonly<Record<string, unknown>>;
  /** Of each request that came, whatever was answered. */
  readonly requests: readonly IncomingHttpHeaders[];
  /** What is answered from now on, instead of taking the spans; undefined takes them again. */
  answer: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const requests: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      requests.push(request.headers);
      if (receiver.answer !== undefined) return receiver.answer(response);
      try {
        if (request.method !== 'POST' || request.url !== '/v1/traces') throw new Error(`at ${request.url}`);
        if (request.headers['content-type'] !== 'application/json') throw new Error('no JSON');
        const body: unknown = JSON.parse(Buffer.concat(parts).toString());
        exportTraceServiceRequest(body, 'request');
        const { resourceSpans } = body as {
          readonly resourceSpans: readonly {
            readonly resource: { readonly attributes: readonly ReceivedAttribute[] };
            readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
          }[];
        };
        for (const { resource, scopeSpans } of resourceSpans) {
          receiver.resource = attributesIn(resource.attributes);
          for (const scope of scopeSpans) spans.push(...scope.spans);
        }
        response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      } catch (error) {
        response.writeHead(400).end(String(error));
        receiver.faults.push(String(error));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ spans, requests, resource: {} as Readonly<Record<string, unknown>>, faults: [] as string[] },
    answer: undefined as OtlpReceiver['answer'],
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      if (receiver.faults.length > 0) throw new Error(`not as OTLP says: ${receiver.faults.join('; ')}`);
    },
  };
  return receiver;
}

/** By name, each value as what it is. */
export function attributesIn(list: readonly ReceivedAttribute[] = []): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    list.map(({ key, value }) => [
      key,
      'intValue' in value ? Number(value.intValue) : Object.values(value)[0],
    ]),
  );
}

function message(fields: Readonly<Record<string, Check>>, required: readonly string[] = []): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error(`${path} is no message`);
    for (const [name, each] of Object.entries(value)) {
      const check = fields[name];
      if (check === undefined) throw new Error(`${path}.${name} is not known`);
      check(each, `${path}.${name}`);
    }
    for (const name of required) if (!(name in value)) throw new Error(`${path}.${name} is missing`);
  };
}

const repeated =
  (check: Check): Check =>
  (value, path) => {
    if (!Array.isArray(value)) throw new Error(`${path} is no list`);
    for (const [index, each] of value.entries()) check(each, `${path}[${index}]`);
  };

function matching(pattern: RegExp): Check {
  return (value, path) => {
    if (typeof value !== 'string' || !pattern.test(value))
      throw new Error(`${path} is ${JSON.stringify(value)}`);
  };
}

const text = matching(/^/);
const uint64 = matching(/^\d{1,20}$/);
const int64 = matching(/^-?\d{1,19}$/);
const uint32: Check = (value, path) => {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) >= 2 ** 32)
    throw new Error(`${path} is no uint32`);
};
const truth: Check = (value, path) => {
  if (typeof value !== 'boolean') throw new Error(`${path} is no bool`);
};
const double: Check = (value, path) => {
  if (typeof value !== 'number') throw new Error(`${path} is no double`);
};
const enumOf =
  (...values: readonly number[]): Check =>
  (value, path) => {
    if (!values.includes(value as number)) throw new Error(`${path} is ${String(value)}`);
  };

const anyValue: Check = (value, path) => {
  message({
    ...{ stringValue: text, boolValue: truth, intValue: int64, doubleValue: double },
    arrayValue: message({ values: repeated(anyValue) }),
  })(value, path);
  if (Object.keys(value as object).length !== 1) throw new Error(`${path} is not one value`);
};

const attributes: Check = (value, path) => {
  repeated(message({ key: matching(/./), value: anyValue }, ['key', 'value']))(value, path);
  const keys = (value as readonly ReceivedAttribute[]).map(({ key }) => key);
  if (new Set(keys).size !== keys.length) throw new Error(`${path} has a key twice`);
};

const span = message(
  {
    traceId: matching(/^(?!0+$)[0-9a-f]{32}$/),
    spanId: matching(/^(?!0+$)[0-9a-f]{16}$/),
    parentSpanId: matching(/^(?!0+$)[0-9a-f]{16}$/),
    ...{ traceState: text, flags: uint32, name: matching(/./), kind: enumOf(1, 2, 3, 4, 5) },
    ...{ startTimeUnixNano: uint64, endTimeUnixNano: uint64, attributes, droppedAttributesCount: uint32 },
    events: repeated(
      message({ timeUnixNano: uint64, name: matching(/./), attributes, droppedAttributesCount: uint32 }),
    ),
    droppedEventsCount: uint32,
    status: message({ message: text, code: enumOf(0, 1, 2) }),
  },
  ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
);

const exportTraceServiceRequest = message({
  resourceSpans: repeated(
    message({
      resource: message({ attributes, droppedAttributesCount: uint32 }),
      scopeSpans: repeated(
        message({
          scope: message({ name: text, version: text, attributes }),
          spans: repeated(span),
          schemaUrl: text,
        }),
      ),
      schemaUrl: text,
    }),
  ),
});
