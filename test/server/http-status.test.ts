import { describe, expect, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { errorOf, http, json, timeText, withHttp } from './http.ts';
import { server } from './local.ts';

withHttp();

describe('the status endpoint', () => {
  test('of a finished execution is proto JSON with every field, empty ones too', async () => {
    const { executionId, taskId } = await server.functions.invokeFunction({
      task: 'count',
      input: Buffer.from('a b\n'),
    });
    const answer = await http('GET', `/status/${executionId}`);
    expect(answer.code).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^application\/json/);
    expect(JSON.parse(answer.text)).toEqual({
      result: {
        status: 'EXECUTION_STATUS_COMPLETED',
        state: 'completed',
        mode: 'EXECUTION_MODE_SYNC',
        isAsync: false,
        isCompleted: true,
        loosened: [],
        output: Buffer.from('1 2 4\n').toString('base64'),
        outputText: '1 2 4\n',
        contentType: '',
        errorOutput: '',
        errorText: '',
        outputBytes: '6',
        outputTruncated: false,
        exitCode: 0,
        errorCode: 'ERROR_CODE_UNSPECIFIED',
        errorOrigin: 'ERROR_ORIGIN_UNSPECIFIED',
        errorMessage: '',
        attempt: 1,
        createdAt: timeText,
        startedAt: timeText,
        completedAt: timeText,
        queueTimeMs: expect.stringMatching(/^\d+$/),
        executionTimeMs: expect.any(Number),
        requestId: expect.stringMatching(/./),
        metadata: {},
        labels: {},
        timestamp: timeText,
        allowedEvents: [],
        resourceUse: {
          cpuTimeUs: expect.stringMatching(/^\d+$/),
          peakMemoryBytes: expect.stringMatching(/^\d+$/),
          droppedBytes: '0',
        },
        executionId,
        taskId,
        taskName: 'count',
        tenant: 'default',
        taskRevision: 1,
        functionName: '',
        instanceId: expect.stringMatching(/./),
        recoveries: 0,
        oldestSequence: '1',
        originExecutionId: '',
        cachedFromExecutionId: '',
        cacheUse: 'CACHE_USE_UNSPECIFIED',
        webhooks: 0,
        priority: 'PRIORITY_NORMAL',
        fairnessKey: '',
        traceId: expect.any(String),
        schedule: '',
        dependsOn: [],
        batchId: '',
        alias: '',
        rerunOfExecutionId: '',
        rerunId: '',
      },
      statusEndpoint: '',
      estimatedCompletionMs: '0',
      lastSequence: '4',
      dependencies: [],
      dependants: [],
      node: '',
    });
  });

  test('of an execution that runs says so, and where to ask again', async () => {
    const { executionId, statusEndpoint } = await server.functions.invokeFunction({
      task: 'loop',
      executionMode: ExecutionMode.ASYNC,
    });
    await expect
      .poll(async () => JSON.parse((await http('GET', statusEndpoint)).text))
      .toMatchObject({
        result: {
          status: 'EXECUTION_STATUS_RUNNING',
          isCompleted: false,
          isAsync: true,
          output: 'bG9vcGluZwo=',
        },
        statusEndpoint,
        estimatedCompletionMs: expect.stringMatching(/^[1-9]\d*$/),
      });
    await server.functions.cancelExecution({ executionId });
    await server.functions.waitExecution({ executionId });
    expect(JSON.parse((await http('GET', statusEndpoint)).text)).toMatchObject({
      result: { status: 'EXECUTION_STATUS_CANCELLED', errorCode: 'ERROR_CODE_CANCELLED', isCompleted: true },
      statusEndpoint: '',
    });
  });

  test.each(['exec_00000000000000000000000000', 'nonsense', '%E0%A4%A', 'exec_..%2f..%2fspear.db', ''])(
    'of the unknown id %j is 404 with a JSON error',
    async (id) => {
      const answer = await http('GET', `/status/${id}`);
      expect(answer.code).toBe(404);
      expect(errorOf(answer)).toMatchObject({ code: 'NOT_FOUND', message: expect.stringMatching(/./) });
    },
  );

  test('is only read', async () => {
    for (const method of ['POST', 'PUT', 'DELETE']) {
      const answer = await http(method, '/status/exec_00000000000000000000000000', '{}', json);
      expect(answer.code).toBe(405);
      expect(answer.headers.allow).toBe('GET, HEAD');
      expect(errorOf(answer)).toHaveProperty('reason', 'METHOD_NOT_ALLOWED');
    }
    const { executionId } = await server.functions.invokeFunction({ task: 'count' });
    const head = await http('HEAD', `/status/${executionId}`);
    expect(head).toMatchObject({ code: 200, text: '' });
  });
});
