import { describe, expect, test } from 'vitest';
import { api, errorOf, http, json } from './http.ts';
import { server, withServer } from './local.ts';
import { another, begin } from './snapshots.ts';

withServer({ slots: '6', maxRequestBytes: '100000' }, async () => {
  await server.register('cat', 'misbehaving/cat.wasm');
});

const lines = { 'content-type': 'application/x-ndjson' };

interface Step {
  readonly summary?: { readonly state: string; readonly lastSequence: string };
  readonly data?: string;
}

/** The messages that SnapshotExecution answers with. */
async function taken(executionId: string): Promise<Step[]> {
  const answer = await api('SnapshotService/SnapshotExecution', {
    executionId,
    detach: true,
    includeArtifact: true,
  });
  expect(answer).toMatchObject({ code: 200, headers: { 'content-type': 'application/x-ndjson' } });
  return answer.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Step);
}

describe('over HTTP', () => {
  test('a snapshot is lines of JSON, and so is what restores it', async () => {
    const executionId = await begin(server, { task: 'cat', startAfter: { seconds: 3600n } });
    const [first, ...rest] = await taken(executionId);
    expect(first?.summary).toMatchObject({ state: 'pending.waiting', lastSequence: '1', detached: true });
    const target = await another();
    const body = [{ options: {} }, ...rest.map(({ data }) => ({ data }))].map((each) => JSON.stringify(each));
    const answer = await fetch(`http://${target.httpAddress}/api/SnapshotService/RestoreExecution`, {
      method: 'POST',
      headers: lines,
      body: body.join('\n'),
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      originExecutionId: executionId,
      result: { executionId, state: 'pending.waiting' },
      notes: [expect.stringContaining('task cat')],
    });
  });

  test('a snapshot that cannot be taken is an error as any other', async () => {
    const answer = await api('SnapshotService/SnapshotExecution', { executionId: `exec_${'0'.repeat(26)}` });
    expect(answer.code).toBe(404);
    expect(errorOf(answer)).toMatchObject({ code: 'NOT_FOUND' });
  });

  test.each([
    ['a content type that a page of elsewhere could send', json, '{}', 400, 'INVALID_ARGUMENT'],
    ['a line that is no message', lines, '{"options":{}}\nnonsense\n', 400, 'INVALID_ARGUMENT'],
    ['data that is no snapshot', lines, '{"options":{}}\n{"data":"aGVsbG8K"}\n', 400, 'INVALID_ARGUMENT'],
    ['no line at all', lines, '', 400, 'INVALID_ARGUMENT'],
    [
      'a line that is too long',
      lines,
      `{"options":{}}\n{"data":"${'A'.repeat(200_000)}"}`,
      429,
      'RESOURCE_EXHAUSTED',
    ],
  ])('%s is refused', async (_what, headers, body, code, name) => {
    const answer = await http('POST', '/api/SnapshotService/RestoreExecution', body, headers);
    expect(answer.code).toBe(code);
    expect(errorOf(answer)).toMatchObject({ code: name });
  });
});
