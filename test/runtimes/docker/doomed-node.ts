/** A node that runs one program and is killed: `node doomed-node.ts NODE_ID`, the launch as JSON on standard input. */
import { text } from 'node:stream/consumers';
import type { Launch } from '../../../src/runtimes/runtime.ts';
import { attemptOf, Collected } from '../attempt.ts';
import { openRuntime } from './tasks.ts';

const [nodeId = ''] = process.argv.slice(2);
const never = new AbortController().signal;
const launch: Launch = JSON.parse(await text(process.stdin));
const runtime = await openRuntime({ nodeId });
const instance = await runtime.launch(launch, never);
const io = new Collected();
const write = io.write.bind(io);
io.write = (stream, data) => {
  if (stream === 'stdout') process.stdout.write(data);
  return write(stream, data);
};
// Output of the program comes after this: it waits for the end of its input.
void io.inputTaken.then(() => process.stderr.write('delivered\n'));
await instance.serve(attemptOf(launch.task, { input: Buffer.from('go') }), io, never);
