/** The description of the HTTP side: that it is one, and that the node does what it says. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { methodRoles } from '../../src/domain/method-roles.ts';
import { adminToken } from '../support/server.ts';
import { http } from './http.ts';
import { server, withServer } from './local.ts';

withServer({ anonymousRole: 'none' });

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, unknown>>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Readonly<Record<string, unknown>>>> };
}

async function described(): Promise<Document> {
  const answer = await http('GET', '/openapi.json');
  expect(answer.code).toBe(200);
  return JSON.parse(answer.text) as Document;
}

function operationsOf({ paths }: Document) {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([verb, operation]) => ({ path, verb, operation })),
  );
}

describe('the description of the HTTP side', () => {
  it('is OpenAPI 3.1, for whoever asks', async () => {
    const document = await described();
    const { valid, errors } = await new Validator().validate({ ...document });
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(document.openapi).toBe('3.1.0');
  });

  it('names no operation twice, says of each what it does, and refers to nothing that is not there', async () => {
    const document = await described();
    const operations = operationsOf(document).map(({ operation }) => operation);
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.filter(({ summary }) => summary === '')).toEqual([]);
    const text = JSON.stringify(document);
    for (const [, group = '', name = ''] of text.matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)) {
      expect(document.components).toHaveProperty([group, name]);
    }
  });

  it('has the comments of the contract', async () => {
    const { schemas } = (await described()).components;
    expect(schemas['spearlet.InvokeFunctionRequest']).toMatchObject({
      properties: {
        input: { type: 'string', contentEncoding: 'base64' },
        inputText: { type: 'string' },
        waitBudget: { type: 'string', description: expect.stringMatching(/\w/) },
      },
    });
    expect(schemas['spearlet.ExecutionStatus']).toMatchObject({
      enum: expect.arrayContaining(['EXECUTION_STATUS_COMPLETED']),
    });
  });

  it('has each method by Connect, and none but what the node answers to', async () => {
    const operations = operationsOf(await described());
    const connect = operations.map(({ path }) => path).filter((path) => path.startsWith('/spearlet.'));
    expect(connect.sort()).toEqual(
      Object.keys(methodRoles)
        .map((name) => `/spearlet.${name}`)
        .sort(),
    );
    for (const { path, verb, operation } of operations) {
      const [type = 'application/json'] = Object.keys(operation.requestBody?.content ?? {});
      const answer = await fetch(`http://${server.httpAddress}${path}`, {
        method: verb.toUpperCase(),
        headers: {
          authorization: `Bearer ${adminToken(server.dataDir)}`,
          'content-type': type,
        },
        ...(verb === 'post' && { body: type.includes('connect') ? '\0\0\0\0\x02{}' : '{}' }),
      });
      const reason = answer.status === 200 ? '' : await answer.text();
      await answer.body?.cancel().catch(() => undefined);
      expect(`${path} ${answer.status} ${reason}`).not.toMatch(
        /METHOD_NOT_|PATH_NOT_FOUND|STREAMS_OVER_GRPC_ONLY|TYPE_NOT_ALLOWED| 5\d\d /,
      );
    }
  });
});
