import { spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { Server } from 'node:net';
import { commandEnvironment } from '../../containment/command.ts';

/** Where a container finds the proxy: the port that proxies for HTTP usually have. */
export const proxyPort = 3128;

/** How long the namespace may take to be entered, in milliseconds. */
const enterMs = 10_000;

/**
 * Runs in the network namespace of a container, on our own Node: makes the listener, hands it over and ends. The socket
 * stays in the namespace that it was made in, wherever its connections are accepted.
 */
const script = `
const { createServer } = require('node:net');
const { readlinkSync } = require('node:fs');
const server = createServer();
const failed = (error) => process.send({ failed: error.code ?? error.message }, () => process.exit(1));
server.on('error', failed);
const namespace = readlinkSync('/proc/self/ns/net');
if (namespace !== process.argv[1]) failed(new Error('it is in another namespace'));
else server.listen(${proxyPort}, '127.0.0.1', () => process.send({}, server, () => process.exit()));
`;

/**
 * A listener on loopback in the network namespace of a process. The node has to be root. Rejects with an Error whose
 * message is for people.
 */
export async function listenInNamespace(nsenter: string, pid: number): Promise<Server> {
  const namespace = readlinkSync(`/proc/${pid}/ns/net`);
  if (namespace === readlinkSync('/proc/self/ns/net')) throw new Error('it has the network of the node');
  const child = spawn(
    nsenter,
    [`--target=${pid}`, '--net', '--', process.execPath, '-e', script, namespace],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: commandEnvironment,
      timeout: enterMs,
      killSignal: 'SIGKILL',
    },
  );
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  child.on('error', reject);
  child.on('message', (message: { readonly failed?: string }, handle: unknown) => {
    if (handle instanceof Server) resolve(handle);
    else reject(new Error(`no listener can be made there: ${message.failed ?? 'none came'}`));
  });
  // After all that it has sent.
  child.on('disconnect', () => reject(new Error('nsenter ended without one')));
  return promise;
}
