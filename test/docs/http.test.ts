/** Runs the commands of docs/http.md against a node. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { adminToken, startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

const execute = promisify(execFile);
const page = await readDocument('docs/http.md');

test('each command of docs/http.md is answered as the page says', async () => {
  const server = await startServer({ anonymousRole: 'none' });
  onTestFinished(() => server.stop());
  await server.register('wordcount', 'wordcount/wordcount.wasm');
  await server.register('ticker', 'ticker/ticker.wasm');
  await server.register('calc', 'typed/typed.wasm');
  const { executionId } = await server.functions.invokeFunction({ task: 'wordcount' });
  const env = { ...process.env, token: adminToken(server.dataDir), id: executionId };
  const answers: string[] = [];
  for (const command of blocksOf(page).flat()) {
    const here = command
      .replaceAll('127.0.0.1:8080', server.httpAddress)
      .replaceAll('curl ', 'curl -sS --fail-with-body ');
    const { stdout } = await execute('bash', ['-c', here], { cwd: root, env });
    answers.push(stdout);
  }
  expect(answers).toEqual([
    expect.stringMatching(/\d/),
    '3',
    expect.stringContaining('event: result'),
    expect.stringContaining('"status":"EXECUTION_STATUS_COMPLETED"'),
    expect.stringContaining('"isFinal":true'),
    expect.stringContaining('"openapi": "3.1.0"'),
  ]);
});
