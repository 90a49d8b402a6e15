import { describe, expect, test } from 'vitest';
import { expectAsItWas, expectRefusal, withSturdyServer } from './bad-input.ts';
import { server } from './local.ts';
import { frame, rawCall } from './raw.ts';
import { refusal } from './refusal.ts';

withSturdyServer();

describe('a request that is too large or no message', () => {
  test('over 8 MiB is RESOURCE_EXHAUSTED, and the connection goes on', async () => {
    const refused = await refusal(
      server.functions.invokeFunction({ task: 'count', input: new Uint8Array(8 * 1024 * 1024 + 1) }),
    );
    expectRefusal(refused, 'RESOURCE_EXHAUSTED');
    expect(refused).toMatchObject({ reason: 'REQUEST_TOO_LARGE', quota: 'max-request-bytes' });
    expect(refused.message).toContain(String(8 * 1024 * 1024));
    // grpc-js does not read this much, and has no details to give.
    const huge = await refusal(
      server.functions.invokeFunction({ task: 'count', input: new Uint8Array(17 * 1024 * 1024) }),
    );
    expect(huge.code).toBe('RESOURCE_EXHAUSTED');
    const fits = new Uint8Array(8 * 1024 * 1024 - 100);
    const { result } = await server.functions.invokeFunction({ task: 'count', input: fits });
    expect(Buffer.from(result?.output ?? []).toString()).toBe(`0 1 ${fits.byteLength}\n`);
  });

  test('that is no protobuf is INVALID_ARGUMENT', async () => {
    for (const method of ['InvokeFunction', 'StreamFunction', 'WatchExecution', 'ListExecutions']) {
      const answer = await rawCall(
        server.grpcAddress,
        `/spearlet.FunctionService/${method}`,
        frame(Buffer.from([0x0a, 0xff, 0x01])),
      );
      expect(answer).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
      expect(answer.message).toContain('request');
    }
  });

  test('with a text that is not UTF-8 is INVALID_ARGUMENT', async () => {
    const answer = await rawCall(
      server.grpcAddress,
      '/spearlet.TaskService/GetTask',
      frame(Buffer.from([0x0a, 0x02, 0xc3, 0x28])),
    );
    expect(answer).toMatchObject({ status: 'INVALID_ARGUMENT', reason: 'INVALID_FIELD' });
  });
});

test('after all of this the server is as it was', expectAsItWas);
