/** The description of the HTTP side (OpenAPI 3.1), made of `proto/` and its comments; run, it writes it. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createFileRegistry, type DescMethod, type DescService, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { pathsBesideMethods } from './openapi-paths.ts';
import { commentOf, type Json, Schemas } from './openapi-schemas.ts';

export const openApiPath = 'src/server/gen/openapi.json';

/** Whose streams `/api/` has, too; `test/server/openapi.test.ts` holds them against a node. */
const streamedOverApi: readonly string[] = ['NodeService', 'SnapshotService'];

/** Its text. */
export function openApi(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  const schemas = new Schemas();
  const services = readServices();
  const methods = services.flatMap((service) =>
    service.methods.flatMap((method) => [
      ...(isOverApi(method) ? [overApi(method, schemas)] : []),
      overConnect(method, schemas),
    ]),
  );
  const document = {
    openapi: '3.1.0',
    info: {
      title: 'Spear',
      version,
      summary: 'Runs functions for callers: WebAssembly, containers and processes.',
      description:
        'What a node answers over HTTP. `/tasks/` runs a task with its output as the answer; each method of gRPC is under `/api/`, and by the Connect protocol and gRPC-Web under its full name.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    // Without a token a caller may do what `serve --anonymous-role` lets it.
    security: [{ token: [] }, {}],
    tags: [
      { name: 'tasks', description: 'Tasks and executions, for whatever speaks HTTP.' },
      { name: 'node', description: 'For probes and monitoring.' },
      ...services.map((service) => ({ name: service.name, description: commentOf(service) })),
    ],
    paths: { ...pathsBesideMethods(schemas, typesOf(services)), ...Object.fromEntries(methods) },
    components: {
      securitySchemes: {
        token: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of `spear token create`, or of an issuer.',
        },
      },
      responses: { Error: errorResponse('Error'), ConnectError: errorResponse('ConnectError') },
      schemas: { ...schemas.all, Error: errorSchema, ConnectError: connectErrorSchema },
    },
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}

function readServices(): DescService[] {
  const image = execFileSync('buf', ['build', 'proto', '--output', '-#format=binpb'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  return (
    [...registry.files]
      .flatMap(({ services }) => services)
      // What nodes say to each other is for no caller.
      .filter(({ typeName }) => !typeName.startsWith('spearlet.link.'))
      .sort((a, b) => (a.typeName < b.typeName ? -1 : 1))
  );
}

/** Looks up messages that the methods have. */
function typesOf(services: readonly DescService[]) {
  const types = services.flatMap(({ methods }) => methods.flatMap(({ input, output }) => [input, output]));
  return (typeName: string) => {
    const found = types.find((each) => each.typeName === typeName);
    if (found === undefined) throw new Error(`no method has a ${typeName}`);
    return found;
  };
}

function isOverApi({ methodKind, parent }: DescMethod): boolean {
  return methodKind === 'unary' || streamedOverApi.includes(parent.name);
}

function overApi(method: DescMethod, schemas: Schemas): [path: string, item: Json] {
  const { methodKind, parent, name } = method;
  const one = 'application/json';
  const lines = 'application/x-ndjson';
  const request = methodKind === 'client_streaming' ? lines : one;
  const answer = methodKind === 'server_streaming' ? lines : one;
  return [
    `/api/${parent.name}/${name}`,
    {
      post: {
        ...about(method, `${parent.name}_${name}`),
        requestBody: {
          required: true,
          content: { [request]: { schema: schemas.reference(method.input) } },
        },
        responses: {
          200: {
            description: answer === lines ? 'A message for each line.' : 'The answer.',
            content: { [answer]: { schema: schemas.reference(method.output) } },
          },
          default: { $ref: '#/components/responses/Error' },
        },
      },
    },
  ];
}

function overConnect(method: DescMethod, schemas: Schemas): [path: string, item: Json] {
  const { methodKind, parent, name } = method;
  const isUnary = methodKind === 'unary';
  const type = isUnary ? 'application/json' : 'application/connect+json';
  const told = isUnary
    ? 'By the Connect protocol; also as application/proto and by gRPC-Web.'
    : 'By the Connect protocol, each message in an envelope; also as application/connect+proto and by gRPC-Web.';
  const { description, ...rest } = about(method, `Connect_${parent.name}_${name}`);
  return [
    `/${parent.typeName}/${name}`,
    {
      post: {
        ...rest,
        description: [description, told].filter((text) => text !== undefined).join('\n\n'),
        parameters: [
          {
            name: 'Connect-Timeout-Ms',
            in: 'header',
            description: 'How long the caller waits.',
            schema: { type: 'integer', minimum: 0, maximum: 9_999_999_999 },
          },
        ],
        requestBody: { required: true, content: { [type]: { schema: schemas.reference(method.input) } } },
        responses: {
          200: {
            description: isUnary ? 'The answer.' : 'Messages, and how it ended in the last envelope.',
            content: { [type]: { schema: schemas.reference(method.output) } },
          },
          default: { $ref: '#/components/responses/ConnectError' },
        },
      },
    },
  ];
}

function about(method: DescMethod, operationId: string) {
  const comment = commentOf(method);
  const [first = ''] = comment.split(/(?<=\.)\s/, 1);
  const spoken = method.name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return {
    operationId,
    tags: [method.parent.name],
    summary: first === '' ? spoken : first.replace(/\.$/, ''),
    ...(comment !== '' && { description: comment }),
  };
}

function errorResponse(schema: string): Json {
  return {
    description: 'Why not; docs/errors.md has each reason.',
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
  };
}

const errorSchema: Json = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['reason', 'message'],
      properties: {
        code: { type: 'string', description: 'The name of the status of gRPC.' },
        reason: { type: 'string' },
        message: { type: 'string' },
        violations: {
          type: 'array',
          items: {
            type: 'object',
            properties: { field: { type: 'string' }, description: { type: 'string' } },
          },
        },
        quota: { type: 'string', description: 'What there is not enough of.' },
        retryAfterMs: { type: 'number' },
        metadata: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
};

const connectErrorSchema: Json = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'string' },
    message: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'value'],
        properties: {
          type: { type: 'string', description: 'Such as google.rpc.ErrorInfo.' },
          value: { type: 'string', contentEncoding: 'base64' },
          debug: { type: 'object', description: 'The same as JSON.' },
        },
      },
    },
  },
};

if (import.meta.main) writeFileSync(openApiPath, openApi());
