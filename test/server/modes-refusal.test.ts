import { describe, expect, test } from 'vitest';
import { ExecutionMode } from '../../src/server/gen/spearlet/function_pb.js';
import { server } from './local.ts';
import { executionsOf, withFunctions } from './modes.ts';
import { refusal } from './refusal.ts';

withFunctions();

describe('the mode of a request', () => {
  test('cannot be STREAM on InvokeFunction, which names StreamFunction', async () => {
    const refused = await refusal(
      server.functions.invokeFunction({ task: 'count', executionMode: ExecutionMode.STREAM }),
    );
    expect(refused).toMatchObject({ code: 'INVALID_ARGUMENT', domain: 'spear' });
    expect(refused.message).toContain('StreamFunction');
    expect(refused.fields).toHaveProperty('execution_mode', expect.stringContaining('StreamFunction'));
  });

  test('is refused where it is unknown, with the list of known ones', async () => {
    for (const executionMode of [4, 99, -1] as number[] as ExecutionMode[]) {
      const refused = await refusal(server.functions.invokeFunction({ task: 'count', executionMode }));
      expect(refused.code).toBe('INVALID_ARGUMENT');
      for (const word of [String(executionMode), 'SYNC', 'ASYNC', 'STREAM']) {
        expect(refused.fields.execution_mode).toContain(word);
      }
    }
  });

  test('is refused by StreamFunction where it is neither STREAM nor none', async () => {
    for (const executionMode of [ExecutionMode.SYNC, ExecutionMode.ASYNC, 99 as number as ExecutionMode]) {
      const refused = await refusal(server.functions.streamFunction({ task: 'count', executionMode }));
      expect(refused.code).toBe('INVALID_ARGUMENT');
      expect(refused.fields).toHaveProperty('execution_mode', expect.stringContaining('STREAM'));
    }
  });

  test('that is refused starts nothing', async () => {
    const before = await executionsOf('count');
    await refusal(server.functions.invokeFunction({ task: 'count', executionMode: 3 }));
    await refusal(server.functions.streamFunction({ task: 'count', executionMode: 1 }));
    expect(await executionsOf('count')).toEqual(before);
  });
});
