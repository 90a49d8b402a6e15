/** The table of rooms leaves no folder out: a reader finds where a change goes from it and from file names. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** What is generated, and what only a page or a sandbox has inside, stands for its room. */
const inside = /(^|\/)gen(\/|$)|^visualizer\/page\/|^runtimes\/wasm\/guest-host\//;

function foldersOf(path: string): string[] {
  return readdirSync(join(root, 'src', path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => (path === '' ? entry.name : `${path}/${entry.name}`))
    .flatMap((folder) => [folder, ...foldersOf(folder)])
    .filter((folder) => !inside.test(folder));
}

/** Whether a table of the text names the folder, by its path in `src` or by its own name with a slash. */
function names(text: string, folder: string): boolean {
  const name = folder.slice(folder.lastIndexOf('/') + 1);
  return text.includes(`\`${folder}\``) || text.includes(`\`${name}/`);
}

test('every folder of src stands in ARCHITECTURE.md', () => {
  const text = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8');
  const folders = foldersOf('');
  expect(folders).toContain('actors/executions');
  expect(folders.filter((folder) => !names(text, folder))).toEqual([]);
});

test('a folder that is not named is found', () => {
  expect(names('| `actors/log` | `wire/`', 'actors/queue')).toBe(false);
  expect(names('| `actors/log` | `wire/`', 'server/wire')).toBe(true);
});
