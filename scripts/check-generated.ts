/** Fails where `src/server/gen`, the page's defaults or the schema of the configuration are not what `npm run generate` makes now. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configPage, schemaPath, schemaText, withOptions } from './config-reference.ts';
import { openApi, openApiPath } from './openapi.ts';
import { defaultsPath, pageDefaults } from './page-defaults.ts';

const generated = 'src/server/gen';
const fresh = await mkdtemp(join(tmpdir(), 'spear-generated-'));
try {
  execFileSync('buf', ['generate', '--output', fresh], { stdio: 'inherit' });
  await writeFile(join(fresh, openApiPath), openApi());
  const stale = await differences(generated, join(fresh, generated));
  if ((await readFile(defaultsPath, 'utf8')) !== pageDefaults()) stale.push(defaultsPath);
  if ((await readFile(schemaPath, 'utf8')) !== schemaText()) stale.push(schemaPath);
  const page = await readFile(configPage, 'utf8');
  if (page !== withOptions(page)) stale.push(configPage);
  if (stale.length > 0) {
    console.error(`run \`npm run generate\`: not current are ${stale.join(', ')}`);
    process.exitCode = 1;
  }
} finally {
  await rm(fresh, { recursive: true, force: true });
}

async function differences(before: string, after: string): Promise<string[]> {
  const [old, now] = await Promise.all([filesOf(before), filesOf(after)]);
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.filter((name) => old.get(name) !== now.get(name));
}

async function filesOf(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of names) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(path.slice(folder.length), await readFile(path, 'utf8'));
  }
  return files;
}
