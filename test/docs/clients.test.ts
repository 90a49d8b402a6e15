/** Runs the programs of docs/clients.md against a node, as somebody would who copies them. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, temporaryFolder } from '../cli/spear.ts';
import { inheritedEnvironment } from '../support/environment.ts';
import { describeWhere, pythonGrpc, pythonPath } from '../support/needs.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { blocksOf, readDocument, root } from './readme.ts';

const execute = promisify(execFile);
const page = await readDocument('docs/clients.md');
let server: LocalServer;

beforeAll(async () => {
  server = await startServer({ slots: '4' });
  const [commands = []] = blocksOf(page);
  expect(commands).toHaveLength(2);
  for (const command of commands) {
    const args = command.split(' ').slice(1);
    expect(await run(args, { address: server.grpcAddress, cwd: root })).toMatchObject({ code: 0 });
  }
});

afterAll(() => server.stop());

function programs(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, text = '']) => text,
  );
}

/** What the programs of the page print, one after another, without ids and times. */
async function printed(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await execute(program, [...args], {
    cwd: root,
    env: { ...inheritedEnvironment(), SPEAR_ADDRESS: server.grpcAddress, ...env },
  });
  return stdout.replaceAll(/exec_\w+/g, 'ID');
}

const expected: readonly RegExp[] = [
  /^tick 1\ntick 2\ntick 3\n\n3\n$/,
  /^tick 1\ntick 2\ntick 3\ntick 4\ntick 5\nCOMPLETED 1 [\d.]+\n(ID COMPLETED\n)+$/,
  /^1 true\n2 true\n3 true\n2 1\nb FUNCTION_ERROR\nfalse\n$/,
  /^3\ntick 1\n\nlive \d+\n$/,
  /^FUNCTION_ERROR USER ID .*division.*\nINVALID_ARGUMENT INVALID_FIELD [\s\S]*parameters\.a[\s\S]*(undefined|None)\n$/,
  /^ticks 2\n$/,
];

test('each program in JavaScript does what the page says', async () => {
  const folder = await temporaryFolder();
  const client = pathToFileURL(join(root, 'src/client/main.ts')).href;
  const texts = programs('js');
  expect(texts).toHaveLength(expected.length);
  for (const [index, text] of texts.entries()) {
    const file = join(folder, `${index}.mjs`);
    await writeFile(file, text.replace("'spear/client'", JSON.stringify(client)));
    expect(await printed(process.execPath, [file], {})).toMatch(expected[index] ?? /^$/);
  }
});

describeWhere([await pythonGrpc()], 'in Python', () => {
  test('each program does the same', async () => {
    const texts = programs('python');
    expect(texts).toHaveLength(expected.length);
    for (const [index, text] of texts.entries()) {
      const env = { PYTHONPATH: join(root, 'clients/python/src'), PYTHONDONTWRITEBYTECODE: '1' };
      expect(await printed(pythonPath, ['-c', text], env)).toMatch(expected[index] ?? /^$/);
    }
  });
});
