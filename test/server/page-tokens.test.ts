/** Where a list goes on, as its caller keeps it. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { PageTokens } from '../../src/server/page-tokens.ts';
import { another } from './snapshots.ts';

const last = 'exec_01m808w43wk1636248bf21bkjm';
const refused = expect.objectContaining({ kind: 'invalid_argument' });

function refusalOf(open: () => string): unknown {
  try {
    return open();
  } catch (error) {
    expect(error).toBeInstanceOf(RequestError);
    return error;
  }
}

describe('the token of a next page', () => {
  const tokens = new PageTokens(randomBytes(32));

  it('names a place to the node, and nothing to its holder', () => {
    const [one, other] = [tokens.seal('executions', last), tokens.seal('executions', last)];
    expect(tokens.open('executions', one)).toBe(last);
    expect(Buffer.from(one, 'base64url').toString('latin1')).not.toContain(last.slice(5, 15));
    // Two lists that stopped at the same place do not say so.
    expect(one).not.toBe(other);
  });

  it('is refused where it is of another list, of another node, cut or changed', () => {
    const token = tokens.seal('executions', last);
    const bytes = Buffer.from(token, 'base64url');
    expect(refusalOf(() => tokens.open('tasks', token))).toEqual(refused);
    expect(refusalOf(() => new PageTokens(randomBytes(32)).open('executions', token))).toEqual(refused);
    for (let at = 0; at < bytes.byteLength; at += 1) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      for (const made of [changed, bytes.subarray(0, at)]) {
        if (made.byteLength === 0) continue;
        expect(refusalOf(() => tokens.open('executions', made.toString('base64url')))).toEqual(refused);
      }
    }
  });

  it('goes on to be good as versions before gave it', () => {
    const old = Buffer.from(`executions:${last}`).toString('base64url');
    expect(tokens.open('executions', old)).toBe(last);
    expect(refusalOf(() => tokens.open('tasks', old))).toEqual(refused);
  });
});

it('is good after a restart of the node', async () => {
  const server = await another();
  await server.register('count', 'wordcount/wordcount.wasm');
  const ids: string[] = [];
  for (let call = 0; call < 2; call += 1) {
    ids.push((await server.functions.invokeFunction({ task: 'count' })).executionId);
  }
  const { nextPageToken } = await server.functions.listExecutions({ pageSize: 1 });
  await server.node.drain();
  const again = await another({ dataDir: server.dataDir });
  const { executions } = await again.functions.listExecutions({ pageSize: 1, pageToken: nextPageToken });
  expect(executions.map(({ executionId }) => executionId)).toEqual([ids[0]]);
});
