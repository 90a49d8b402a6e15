/** A run that a `kill -9` of the node interrupts, and an alias over the same. */
import { expect, test } from 'vitest';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { type RerunExecutionsResponse, RerunService } from '../../src/server/gen/spearlet/rerun_pb.js';
import { RevisionService } from '../../src/server/gen/spearlet/revision_pb.js';
import type { ChildServer } from '../support/server.ts';
import { dataFolder, spawn } from './spawned.ts';

const origins = 60;
const request = {
  filter: { task: 'import' },
  rerunId: 'after-the-outage',
  revision: 'mended',
  maxInFlight: 4,
};

/** Follows a run until so many are started, or to its end. */
async function follow(server: ChildServer, until: number): Promise<RerunExecutionsResponse | undefined> {
  let last: RerunExecutionsResponse | undefined;
  for await (const answer of server.connection.service(RerunService).rerunExecutions(request)) {
    last = answer;
    if (answer.started >= until) await server.end('SIGKILL');
  }
  return last;
}

test('a run that the death of its node interrupts, over and over, makes each execution once, by the alias that it had', async () => {
  const dataDir = await dataFolder();
  const one = await spawn(dataDir);
  await one.register('import', 'misbehaving/exit.wasm');
  const ids: string[] = [];
  for (let number = 0; number < origins; number += 1) {
    ids.push((await one.functions.invokeFunction({ task: 'import' })).executionId);
  }
  // Each takes so long that a run is told of in its middle.
  await one.register('import', 'ticker/ticker.wasm', { args: ['2', '50'] });
  const mended = { task: 'import', alias: 'mended', shares: [{ revision: 2, percent: 100 }] };
  await one.connection.service(RevisionService).setAlias(mended);
  await expect(follow(one, 1)).rejects.toThrow();
  for (const until of [15, 35]) await expect(follow(await spawn(dataDir), until)).rejects.toThrow();
  const last = await spawn(dataDir);
  const done = await follow(last, Number.POSITIVE_INFINITY);
  expect(done).toMatchObject({
    ...{ done: true, matched: BigInt(origins), started: BigInt(origins), completed: BigInt(origins) },
    refused: [],
  });
  expect(Number(done?.found)).toBeGreaterThan(0);
  const { executions } = await last.functions.listExecutions({ task: 'import', pageSize: 1000 });
  const made = executions.filter(({ rerunId }) => rerunId === request.rerunId);
  expect(made.map(({ rerunOfExecutionId }) => rerunOfExecutionId).sort()).toEqual(ids);
  for (const { status, taskRevision, alias } of made) {
    expect([status, taskRevision, alias]).toEqual([ExecutionStatus.COMPLETED, 2, 'mended']);
  }
  const { aliases } = await last.connection.service(RevisionService).listRevisions({ task: 'import' });
  expect(aliases).toMatchObject([{ name: 'mended', version: 1, shares: [{ revision: 2, percent: 100 }] }]);
});
