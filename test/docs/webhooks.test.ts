/** Walks through docs/webhooks.md: its commands on a node, in their order. */
import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { serveCommand } from '../../src/cli/commands/serve.ts';
import { signingKeys } from '../../src/webhooks/signing-keys.ts';
import { run, temporaryFolder } from '../cli/spear.ts';
import { startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

const page = await readDocument('docs/webhooks.md');
const [commands = [], secretCommands = []] = blocksOf(page);

test('every command of docs/webhooks.md does what the page says', async () => {
  const server = await startServer({ allowPrivateWebhookHosts: true });
  onTestFinished(() => server.stop());
  const folder = await temporaryFolder();
  await copyFile(join(root, 'examples/wordcount/wordcount.wasm'), join(folder, 'wordcount.wasm'));
  const [, taskFile = ''] = /^```yaml\n(.*?)^```$/ms.exec(page) ?? [];
  await writeFile(join(folder, 'report.yaml'), taskFile);
  const answers: string[] = [];
  for (const command of commands) {
    const args = command.split(' ').slice(1);
    const { code, stdout, stderr } = await run(args, { address: server.grpcAddress, cwd: folder });
    expect({ command, code, stderr }).toMatchObject({ code: 0 });
    if (command.includes('--mode async')) {
      await server.functions.waitExecution({ executionId: stdout.toString().trim() });
    }
    answers.push(stdout.toString());
  }
  const [, id = '', listed, pending, redriven] = answers;
  // Of the two of the task one is told of a completed one, and the request has its own.
  expect(listed?.match(/^msg_/gm)).toHaveLength(2);
  expect(pending?.match(/^msg_\S+ +pending +report/gm)).toHaveLength(2);
  expect(redriven).toBe('0 would be told again\n');
  const { stdout } = await run(['status', id.trim()], { address: server.grpcAddress, cwd: folder });
  expect(stdout.toString()).toMatch(/^webhook +pending, https:\/\/hooks\.example/m);
});

test('the secret that the page makes is one that signs', async () => {
  const [command = ''] = secretCommands;
  const { stdout } = await promisify(execFile)('bash', ['-c', command]);
  expect(signingKeys('webhook', Buffer.from(stdout))).toHaveLength(1);
});

test('every flag of serve that the page names is one', () => {
  const known = serveCommand({} as never).options.map(({ long }) => long);
  const named = [...page.matchAll(/serve (--[a-z-]+)/g)].map(([, flag]) => flag);
  expect(named).toHaveLength(2);
  expect(known).toEqual(expect.arrayContaining(named));
});
