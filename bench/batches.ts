/**
 * Batches and dependencies on a whole node over gRPC, with no-ops on reused instances.
 *
 *   node bench/batches.ts [MEMBERS [LINKS [WIDTH]]]
 *
 * 1. A batch of independent members: how long until it is accepted, and what it completes in a second, beside as many
 *    async calls of the same run with 256 in flight; and how long others wait for an answer while it is written.
 * 2. A chain: the time of a link, from the end of one to the end of the next.
 * 3. A diamond: two layers of which each of the second follows all of the first, between a first and a last one.
 */
import { create } from '@bufbuild/protobuf';
import { BatchMemberSchema } from '../src/server/gen/spearlet/batch_pb.js';
import { ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { startServer } from '../test/support/server.ts';

const members = Number(process.argv[2] ?? 10_000);
const links = Number(process.argv[3] ?? 1000);
const width = Number(process.argv[4] ?? 100);
const inFlight = 256;

const server = await startServer({ queueLimit: '200000', slots: '4', logLevel: 'warn' });
const { functions, batches } = server;
await server.register('noop', 'noop/noop.wasm', { instancePolicy: InstancePolicy.REUSED });

interface Given {
  readonly name: string;
  readonly after?: readonly string[];
}

function memberOf({ name, after = [] }: Given) {
  const dependsOn = after.map((each) => ({ name: each }));
  return create(BatchMemberSchema, { name, invocation: { task: 'noop', functionName, dependsOn } });
}

const functionName = 'noop';

/** Milliseconds until it is accepted, and its id. */
async function accepted(given: readonly Given[]): Promise<{ readonly ms: number; readonly batchId: string }> {
  const made = given.map(memberOf);
  const begun = performance.now();
  async function* parts() {
    yield { options: {} };
    for (let at = 0; at < made.length; at += 500) yield { members: made.slice(at, at + 500) };
  }
  const { batch } = await batches.invokeBatchFromStream(parts());
  return { ms: performance.now() - begun, batchId: batch?.batchId ?? '' };
}

async function finished(batchId: string): Promise<number> {
  const begun = performance.now();
  const { batch } = await batches.waitBatch({ batchId });
  if (batch?.completed !== batch?.members)
    throw new Error(`${batch?.completed} of ${batch?.members} completed`);
  return performance.now() - begun;
}

/** Completed in a second by async calls. */
async function asyncRate(count: number): Promise<number> {
  const begun = performance.now();
  let next = 0;
  const ids: string[] = [];
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (next++ < count) {
        const request = { task: 'noop', functionName, executionMode: ExecutionMode.ASYNC };
        ids.push((await functions.invokeFunction(request)).executionId);
      }
    }),
  );
  await Promise.all(ids.slice(-inFlight).map((executionId) => functions.waitExecution({ executionId })));
  return (count / (performance.now() - begun)) * 1000;
}

/** The longest that a call of another one waits until `done`. */
async function longestWait(done: Promise<unknown>): Promise<number> {
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  let longest = 0;
  while (!isDone) {
    const begun = performance.now();
    await functions.invokeFunction({ task: 'noop', functionName, executionMode: ExecutionMode.ASYNC });
    longest = Math.max(longest, performance.now() - begun);
  }
  return longest;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const said = (text: string): void => void process.stdout.write(`${text}\n`);

await asyncRate(2000);
for (let round = 1; round <= 3; round++) {
  const rate = await asyncRate(members);
  const independent = Array.from({ length: members }, (_, n) => ({ name: `m${n}` }));
  const { ms, batchId } = await accepted(independent);
  const took = await finished(batchId);
  const batchRate = (members / (ms + took)) * 1000;
  said(
    `${members} independent: accepted in ${ms.toFixed(0)} ms, all completed ${(ms + took).toFixed(0)} ms after the request: ` +
      `${batchRate.toFixed(0)}/s, ${(batchRate / rate).toFixed(2)} of async (${rate.toFixed(0)}/s)`,
  );
}
{
  const accepting = accepted(Array.from({ length: members }, (_, n) => ({ name: `m${n}` })));
  const longest = await longestWait(accepting);
  said(`others: the longest answer while ${members} were accepted took ${longest.toFixed(0)} ms`);
  await finished((await accepting).batchId);
}
{
  const chain = Array.from({ length: links }, (_, n) => ({
    name: `l${n}`,
    after: n === 0 ? [] : [`l${n - 1}`],
  }));
  const { batchId } = await accepted(chain);
  const took = await finished(batchId);
  const ends: number[] = [];
  for await (const { event } of batches.watchBatch({ batchId })) {
    const at = event.case === 'member' ? event.value.endedAt : undefined;
    if (at !== undefined) ends.push(Number(at.seconds) * 1000 + at.nanos / 1e6);
  }
  const gaps = ends.slice(1).map((at, index) => at - (ends[index] ?? at));
  said(
    `chain of ${links}: ${took.toFixed(0)} ms, ${(took / links).toFixed(2)} ms a link, median ${middle(gaps).toFixed(2)} ms`,
  );
}
{
  const layer = (name: string) => Array.from({ length: width }, (_, n) => `${name}${n}`);
  const [upper, lower] = [layer('u'), layer('l')];
  const diamond = [
    { name: 'first' },
    ...upper.map((name) => ({ name, after: ['first'] })),
    ...lower.map((name) => ({ name, after: upper })),
    { name: 'last', after: lower },
  ];
  const { ms, batchId } = await accepted(diamond);
  const took = await finished(batchId);
  said(`diamond ${width} x ${width} (${width * width + 2 * width} edges): ${(ms + took).toFixed(0)} ms`);
}
await server.stop();
