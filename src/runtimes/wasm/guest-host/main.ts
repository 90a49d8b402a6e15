// A guest host: a process that runs guests, one at a time, for a node at the other end of a socket.
//
// 1. Jobs run in the order in which they come. The node ends the process to stop one.
// 2. Nothing that a guest does ends the loop but the process's own end: every way out of a guest is an outcome.
// 3. An instance is kept for the next job only after it ended well.
// 4. The process trusts the node and is not trusted by it.

import { syncBuiltinESMExports } from 'node:module';
import { recordKind } from '../channel.ts';
import { Channel } from './channel.ts';
import { createExecutor } from './executor.ts';

/** A stream call of preview2-shim that fails in an unforeseen way ends the process; here it is a trap of that guest. */
const exit = process.exit.bind(process);
process.exit = () => {
  throw new Error('a stream call of the host failed');
};
// Transpiled code asks for an environment variable in each call; a plain object answers that faster.
process.env = {};
syncBuiltinESMExports();

/**
 * @param name of this host
 * @param socket the descriptor of its socket
 * @param guards see `CodeMessage`
 */
export async function serve(name: string, socket: number, guards: string): Promise<void> {
  const channel = new Channel(socket);
  const executor = createExecutor({ name, channel, guards });
  channel.send(recordKind.ready, 0, '');
  for (let next = channel.receive(); next !== undefined; next = channel.receive()) {
    await executor.handle(next);
    if (channel.idle()) executor.instantiateAhead();
  }
  exit();
}
