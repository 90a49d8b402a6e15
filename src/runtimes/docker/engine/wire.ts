import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { EngineAddress } from './address.ts';
import { EngineError, wordsOf } from './engine-error.ts';

const maxErrorBytes = 64 * 1024;

/**
 * The calls to the engine whose answer is a stream. Beside dockerode, which sends a JSON body ahead of an attached
 * stdin, answers `wait` only with its end, and never where a connection breaks in the middle of an answer.
 */
export class EngineWire {
  /** dockerode shares it, so that its calls also find a connection open. */
  readonly agent = new Agent({ keepAlive: true, maxFreeSockets: 16 });
  readonly #address: EngineAddress;

  constructor(address: EngineAddress) {
    this.#address = address;
  }

  /** Resolves with the answer as soon as it begins. Rejects with an EngineError; `signal` also ends the answer. */
  async open(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<IncomingMessage> {
    const call = this.#call(method, path, {}, signal);
    const answer = await answerTo(call);
    if (answer.statusCode === 200) return answer;
    throw await refusal(answer);
  }

  /** Takes the connection over as a raw stream both ways. Rejects with an EngineError. */
  async attach(path: string, signal: AbortSignal): Promise<Socket> {
    const call = this.#call('POST', path, { Connection: 'Upgrade', Upgrade: 'tcp' }, signal);
    const attached = Promise.withResolvers<Socket>();
    call.once('upgrade', (_answer, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      // The signal of an HTTP request lets go of the socket with the upgrade; ours is for its whole life.
      const onAbort = () => void socket.destroy();
      if (signal.aborted) onAbort();
      else signal.addEventListener('abort', onAbort, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', onAbort));
      socket.on('error', () => undefined);
      attached.resolve(socket);
    });
    answerTo(call).then(async (answer) => attached.reject(await refusal(answer)), attached.reject);
    return attached.promise;
  }

  close(): void {
    this.agent.destroy();
  }

  #call(
    method: 'GET' | 'POST',
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): ClientRequest {
    return request({
      ...this.#address,
      agent: this.agent,
      method,
      path,
      headers: { Host: 'docker', 'Content-Length': '0', ...headers },
      signal,
    }).end();
  }
}

function answerTo(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('response', resolve);
    call.on('error', (cause) => reject(new EngineError(cause.message, { cause })));
  });
}

async function refusal(answer: IncomingMessage): Promise<EngineError> {
  const status = answer.statusCode ?? 0;
  try {
    const text = await textOf(answer, maxErrorBytes);
    return new EngineError(wordsOf(parsed(text)) ?? text, { status });
  } catch (cause) {
    return new EngineError('the engine broke its answer off', { status, cause });
  }
}

/** The whole body. Rejects where the connection breaks, and with what is longer than `most` bytes. */
export async function textOf(answer: IncomingMessage, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    bytes += chunk.length;
    if (bytes > most) throw new EngineError(`the engine answered with more than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: a proxy between us and the engine answers in its own words.
    return undefined;
  }
}
