/** A node with few descriptors that starts many programs at once, and some while it has none at all: `node short-node.ts PROGRAM SHA256`. */
import { closeSync, openSync } from 'node:fs';
import { run } from '../attempt.ts';
import { openRuntime, taskOf } from './fixtures.ts';

const [program = '', sha256 = ''] = process.argv.slice(2);
const runtime = await openRuntime();
const task = taskOf('short', program, sha256);
const runMany = (count: number) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const { outcome } = await run(runtime, task, { input: Buffer.from('x') });
      return outcome.kind === 'failed' ? outcome.code : outcome.kind;
    }),
  );
const burst = await runMany(60);
const hog: number[] = [];
function fill(): void {
  try {
    while (true) hog.push(openSync('/dev/null', 'r'));
  } catch {
    // There are none left.
  }
}
fill();
// What the burst had is given back a moment after its outcomes.
const again = setInterval(fill, 1);
const without = await runMany(6);
clearInterval(again);
for (const fd of hog) closeSync(fd);
const after = await runMany(6);
await runtime.close();
process.stdout.write(JSON.stringify({ burst, without, after }));
