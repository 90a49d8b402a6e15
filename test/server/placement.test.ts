/** `runs_on` of a task and `--labels` of a node that is alone. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { type LocalServer, startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ labels: 'zone=a,gpu=2' });
  await server.register('here', 'wordcount/wordcount.wasm', { runsOn: { zone: 'a|b', gpu: '>=2' } });
  await server.register('elsewhere', 'wordcount/wordcount.wasm', { runsOn: { zone: 'b' } });
});

afterAll(() => server.stop());

describe('a node that is alone', () => {
  it('runs what wants its labels, and refuses what wants others', async () => {
    const { result } = await server.functions.invokeFunction({ task: 'here' });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
    const refused = await refusal(server.functions.invokeFunction({ task: 'elsewhere' }));
    expect(refused).toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'NO_NODE_FITS',
      message: 'elsewhere cannot run here: this node has zone=a, and runs_on wants zone: b',
    });
  });

  it('refuses it in a batch, too, and takes it when the task wants another', async () => {
    const members = [{ name: 'm', invocation: { task: 'elsewhere' } }];
    const refused = await refusal(server.batches.invokeBatch({ members }));
    expect(refused).toMatchObject({ reason: 'NO_NODE_FITS' });
    await server.tasks.updateTask({
      task: 'elsewhere',
      definition: { runsOn: { gpu: '*' } },
      updateMask: { paths: ['runs_on'] },
    });
    const { result } = await server.functions.invokeFunction({ task: 'elsewhere' });
    expect(result?.status).toBe(ExecutionStatus.COMPLETED);
  });

  it('names a wish that is none', async () => {
    const wrong = server.register('wrong', 'wordcount/wordcount.wasm', { runsOn: { zone: 'a|' } });
    expect(await refusal(wrong)).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('definition.runs_on.zone'),
    });
  });
});
