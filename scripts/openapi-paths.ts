/** What HTTP has beside the methods, as paths of OpenAPI; docs/http.md explains it. */
import type { DescMessage } from '@bufbuild/protobuf';
import type { Json, Schemas } from './openapi-schemas.ts';

const text = { type: 'string' } as const;
const error = { $ref: '#/components/responses/Error' } as const;

const name = { name: 'name', in: 'path', required: true, description: 'The task.', schema: text };
const callHeaders = [
  {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'It runs once, however often a request with the key comes.',
    schema: text,
  },
  {
    name: 'Prefer',
    in: 'header',
    description: '`respond-async` for an answer when it is accepted, `wait=SECONDS` for one by then.',
    schema: text,
  },
  {
    name: 'spear-priority',
    in: 'header',
    description: 'When its turn comes.',
    schema: { type: 'string', enum: ['low', 'normal', 'high', 'urgent'] },
  },
  {
    name: 'spear-fairness-key',
    in: 'header',
    description: 'Those with the same key share a turn.',
    schema: text,
  },
];

const outcomeHeaders = Object.fromEntries(
  [
    ['spear-execution-id', 'The execution.'],
    ['spear-status', 'How it stands, such as COMPLETED.'],
    ['spear-attempt', 'Which attempt it was.'],
    ['spear-exit-code', 'Of a command.'],
    ['spear-error-code', 'Why it failed; docs/errors.md has each.'],
    ['spear-joined', 'true for one that another request had begun.'],
    ['spear-cache', 'Of a task with a cache: HIT, SHARED, MISS or BYPASS.'],
    ['spear-cached-from', 'The execution whose result it has.'],
    ['age', 'Seconds since that ended.'],
  ].map(([header = '', description]) => [header, { description, schema: text }]),
);

const failed = (description: string): Json => ({
  description,
  headers: outcomeHeaders,
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
});

const accepted: Json = {
  description: 'It was accepted, or goes on; `location` is where its status is.',
  headers: {
    ...outcomeHeaders,
    location: { description: '`/status/ID`.', schema: text },
    'retry-after': { description: 'When to look, in seconds.', schema: { type: 'integer' } },
    'preference-applied': { description: 'Of `Prefer`.', schema: text },
  },
  content: {
    'application/json': {
      schema: {
        type: 'object',
        properties: { executionId: text, status: text, state: text, statusEndpoint: text },
      },
    },
  },
};

function outcomes(output: Json): Json {
  return {
    200: { description: 'It completed.', headers: outcomeHeaders, content: output },
    202: accepted,
    409: failed('It was cancelled, or the key is that of another request.'),
    502: failed('It failed.'),
    504: failed('It timed out.'),
    default: error,
  };
}

function plain(operationId: string, summary: string, answers: Json): Json {
  return { get: { operationId, tags: ['node'], summary, security: [{}], responses: answers } };
}

const json = (schema: Json): Json => ({ 'application/json': { schema } });

/** `typeOf` finds a message by its name. */
export function pathsBesideMethods(schemas: Schemas, typeOf: (typeName: string) => DescMessage): Json {
  const status = schemas.reference(typeOf('spearlet.GetExecutionStatusResponse'));
  schemas.reference(typeOf('spearlet.StreamExecutionResult'));
  return {
    '/tasks/{name}': {
      post: {
        ...{ operationId: 'runTask', tags: ['tasks'], summary: 'Run a task with the body as its input' },
        parameters: [
          name,
          {
            ...{ name: 'arg', in: 'query', description: 'Arguments of a command.', explode: true },
            schema: { type: 'array', items: text },
          },
          ...callHeaders,
        ],
        requestBody: { description: 'The input, of any type.', content: { '*/*': { schema: {} } } },
        responses: outcomes({ '*/*': { schema: {} } }),
      },
    },
    '/tasks/{name}/{export}': {
      post: {
        ...{ operationId: 'callExport', tags: ['tasks'], summary: 'Call a typed function' },
        parameters: [
          name,
          {
            ...{ name: 'export', in: 'path', required: true, schema: text },
            description: 'The function, such as `divide`; slashes of its name may stand as they are.',
          },
          ...callHeaders,
        ],
        requestBody: {
          description: 'Its parameters by name.',
          content: json({ type: 'object', additionalProperties: true }),
        },
        responses: outcomes(json({ description: 'Its value.' })),
      },
    },
    '/status/{id}': {
      get: {
        ...{ operationId: 'getStatus', tags: ['tasks'], summary: 'The record of an execution, or its log' },
        description:
          'With `Accept: text/event-stream` the log as server-sent events: `transition`, `chunk`, `refusal` and `result`, each with a `spearlet.StreamExecutionResult` as its data and its sequence number as its id.',
        parameters: [
          { name: 'id', in: 'path', required: true, description: 'The execution.', schema: text },
          {
            ...{ name: 'Last-Event-ID', in: 'header', schema: { type: 'integer', minimum: 0 } },
            description: 'Of events: goes on behind this one.',
          },
        ],
        responses: {
          200: {
            description: 'The record, or the events.',
            content: { ...json(status), 'text/event-stream': { schema: text } },
          },
          204: { description: 'There are no more events.' },
          default: error,
        },
      },
    },
    '/metrics': {
      get: {
        ...{ operationId: 'getMetrics', tags: ['node'], summary: 'Metrics, in the form of OpenMetrics' },
        responses: {
          200: {
            description: 'docs/metrics.md has each.',
            content: { 'application/openmetrics-text': { schema: text } },
          },
          default: error,
        },
      },
    },
    '/healthz': plain('getHealth', 'Whether the node answers', {
      200: { description: 'It does.', content: json({ type: 'object', properties: { status: text } }) },
    }),
    '/readyz': plain('getReadiness', 'Whether the node takes work', {
      200: { description: 'It does.', content: json(readiness) },
      503: { description: 'It does not.', content: json(readiness) },
    }),
    '/openapi.json': plain('getOpenApi', 'This description', {
      200: { description: 'OpenAPI 3.1.', content: json({ type: 'object' }) },
    }),
  };
}

const readiness: Json = {
  type: 'object',
  properties: { ready: { type: 'boolean' }, reason: text },
};
