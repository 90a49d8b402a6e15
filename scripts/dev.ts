/**
 * `npm run dev`: builds the page into `src/visualizer/gen` whenever its sources change, and runs a server that starts
 * anew whenever its own sources or the built page change. Flags are those of `spear serve`, after `--`; without them
 * its data is in `.spear/dev`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { watchPage } from './build-page.ts';

const root = resolve(import.meta.dirname, '..');

/** The server's sources: guest hosts and threads are files that it does not import, so Node cannot find them itself. */
function watchedPaths(folder = 'src'): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    const path = `${folder}/${name}`;
    if (path === 'src/visualizer') return watchedPaths(path);
    return path === 'src/visualizer/page' ? [] : [join(root, path)];
  });
}

const page = await watchPage(join(root, 'src/visualizer/gen'));
const server = spawn(
  process.execPath,
  [
    '--watch-preserve-output',
    ...watchedPaths().map((path) => `--watch-path=${path}`),
    '--disable-warning=ExperimentalWarning',
    join(root, 'src/cli/main.ts'),
    'serve',
    ...['--data-dir', join(root, '.spear/dev')],
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
// A terminal sends Ctrl-C to the server as well; whoever signals this process alone does not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));
await once(server, 'exit');
await page.close();
