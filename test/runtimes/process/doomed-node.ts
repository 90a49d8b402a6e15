/** A node that runs one program and is killed: `node doomed-node.ts NODE_ID PROGRAM SHA256 [namespaces]`. */
import { attemptOf, Collected } from '../attempt.ts';
import { launchOf, open, taskOf } from './fixtures.ts';

const [nodeId = '', program = '', sha256 = '', way = ''] = process.argv.slice(2);
const runtime = await open({ nodeId, withoutCgroups: way === 'namespaces', scratchBytes: 2 ** 24 });
const attempt = attemptOf(taskOf('doomed', program, sha256));
const instance = await runtime.launch(launchOf(attempt), new AbortController().signal);
const io = new Collected();
const write = io.write.bind(io);
io.write = (stream, data) => {
  process.stdout.write(data);
  return write(stream, data);
};
await instance.serve(attempt, io, new AbortController().signal);
