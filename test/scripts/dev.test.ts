import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The sources in a folder of their own, so that a test can change them. */
async function copyOfSources(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-dev-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['src', 'scripts', 'package.json', 'tsconfig.json']) {
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}

/** `npm run dev` on free ports. */
function develop(folder: string) {
  const anyPort = '127.0.0.1:0';
  const args = ['scripts/dev.ts', '--grpc-address', anyPort, '--http-address', anyPort];
  const child = spawn(process.execPath, args, { cwd: folder });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (part: Buffer) => {
      output += part.toString();
    });
  }
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  return {
    output: () => output,
    /** Where the server listens that started last. */
    httpAddress: () =>
      output
        .match(/"httpAddress":"([^"]+)"/g)
        ?.at(-1)
        ?.slice('"httpAddress":"'.length, -1),
    interrupt: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}

async function page(address: string | undefined): Promise<string> {
  // Between two servers nobody answers.
  const answer = await fetch(`http://${address}/`).catch(() => undefined);
  return (await answer?.text()) ?? '';
}

test('the server starts anew when a source of it or of the page changes, and ends with Ctrl-C', async () => {
  const folder = await copyOfSources();
  const { output, httpAddress, interrupt } = develop(folder);
  await expect.poll(httpAddress).toBeDefined();
  expect(output()).toContain(join(folder, '.spear/dev'));

  await appendFile(join(folder, 'src/serve.ts'), "\nprocess.stderr.write('the changed server\\n');\n");
  await expect.poll(output).toContain('the changed server');

  const html = join(folder, 'src/visualizer/page/index.html');
  const changed = '<title>The changed page</title>';
  await writeFile(html, (await readFile(html, 'utf8')).replace(/<title>.*<\/title>/, changed));
  await expect.poll(() => page(httpAddress())).toContain(changed);

  expect(await interrupt()).toEqual([0, null]);
  await expect(fetch(`http://${httpAddress()}/`)).rejects.toThrow();
});
