/** Every command of every document: run, run by another test, or counted with the reason why it is not. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeWhere, root as needsRoot } from '../support/needs.ts';
import { missingLines, needsOf, type Part, partsOf } from './document.ts';
import { notRun, pictures, walkedElsewhere } from './not-run.ts';
import { readDocument, root } from './readme.ts';
import { systemPath, type Walked, walk } from './walk.ts';

const files = (await readdir(root, { recursive: true }))
  .filter((path) => path.endsWith('.md') && !/(^|\/)(node_modules|\.[^/]+)\//.test(path))
  .sort();
const documents = files.filter((path) => !path.endsWith('-zh.md'));
const pages = new Map<string, string>();
for (const path of files) pages.set(path, await readDocument(path));
const parts = new Map([...pages].map(([path, page]) => [path, partsOf(page)]));

function of(path: string): Part[] {
  return parts.get(path) ?? [];
}

test('each block of commands says that it is one', () => {
  const prompt = /^\$ /m;
  const command =
    /^(sudo |\.\/bin\/)?(spear|curl|npm|npx|node|docker|cp|systemctl|openssl|git|pip|apt-get) /m;
  const shells = ['bash', 'shell', 'console', 'zsh'];
  const unmarked: string[] = [];
  const shown: Record<string, number> = {};
  for (const path of documents) {
    for (const part of of(path)) {
      if (part.kind !== 'other') continue;
      const isPlain = !/^\w/.test(part.language);
      if (isPlain && prompt.test(part.text)) shown[path] = (shown[path] ?? 0) + 1;
      else if (shells.includes(part.language) || (isPlain && command.test(part.text)))
        unmarked.push(`${path}:${part.line}`);
    }
  }
  expect(unmarked).toEqual([]);
  expect(shown).toEqual(pictures);
});

test('no block is left out but those that are counted', () => {
  const counted: Record<string, Record<string, number>> = {};
  for (const path of documents) {
    if (path in walkedElsewhere) continue;
    for (const part of of(path)) {
      if (part.kind !== 'not run') continue;
      const own = counted[path] ?? {};
      counted[path] = own;
      own[part.why] = (own[part.why] ?? 0) + 1;
    }
  }
  expect(counted).toEqual(notRun);
});

test('each document in Chinese has the commands, files and answers of the English one', () => {
  const chinese = files.filter((path) => path.endsWith('-zh.md') && path !== 'README-zh.md');
  expect(chinese.length).toBeGreaterThan(4);
  for (const path of chinese) {
    const english = path.replace('-zh.md', '.md');
    expect({ path, code: codeOf(of(path)) }).toEqual({ path, code: codeOf(of(english)) });
  }
});

test('the files of the project that documents show are as they are shown', async () => {
  for (const part of documents.flatMap(of)) {
    if (part.kind === 'file' && part.isOfProject) expect(part.text).toBe(await readDocument(part.path));
  }
});

test('what documents link to is there', () => {
  const broken = files.flatMap((path) =>
    [...(pages.get(path) ?? '').matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)/g)].flatMap(
      ([link, target = '', heading = '']) => {
        const file = target === '' ? path : join(dirname(path), target);
        const isThere = existsSync(join(root, file)) && (heading === '' || headingsOf(file).has(heading));
        return isThere ? [] : [`${path}: ${link}`];
      },
    ),
  );
  expect(broken).toEqual([]);
});

/** As GitHub makes anchors of them. */
function headingsOf(path: string): Set<string> {
  const titles = [...(pages.get(path) ?? '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  const bare = titles.map((title) => title.toLowerCase().replaceAll(/[^\p{L}\p{N}\p{M} _-]/gu, ''));
  return new Set(bare.map((title) => `#${title.replaceAll(' ', '-')}`));
}

/** What is not words: remarks are left out, and so are drawings. */
function codeOf(all: readonly Part[]): string[] {
  return all.flatMap(codeOfPart);
}

function codeOfPart(part: Part): string[] {
  const bare = (text: string): string => text.replaceAll(/ +# .*$/gm, '').replaceAll(/^#.*$/gm, '');
  switch (part.kind) {
    case 'before':
      return [];
    case 'run':
    case 'not run':
      return part.commands.map((command) => `${part.kind}: ${bare(command)}`);
    case 'output':
      return [...part.lines];
    case 'file':
      return [part.path, bare(part.text)];
    case 'other':
      return ['', 'text', 'mermaid'].includes(part.language) ? [] : [bare(part.text)];
  }
}

const walked = documents.filter(
  (path) => !(path in walkedElsewhere) && of(path).some(({ kind }) => kind === 'run'),
);

describeWhere([needsRoot()], 'on a fresh machine', () => {
  describe.concurrent('each command works as it stands', () => {
    const missing = new Map<string, string[]>();
    for (const path of walked) missing.set(path, needsOf(pages.get(path) ?? '').filter(isMissing));
    const lacking = [...missing].filter(([, names]) => names.length > 0);
    test.skip.each(lacking)('in %s (skipped: there is no %j)', () => {});
    const able = walked.filter((path) => missing.get(path)?.length === 0);
    test.each(able)('in %s', { timeout: 300_000 }, async (path) => {
      const results = await walk(of(path));
      for (const { part, codes, printed } of results) {
        const told = part.commands.map((command, index) => `${codes[index]}: ${command}`);
        expect(told, printed).toEqual(part.commands.map((command) => `0: ${command}`));
      }
      for (const [index, part] of of(path).entries()) {
        if (part.kind !== 'output') continue;
        const printed = printedBefore(of(path), index, results);
        expect(missingLines(part.lines, printed), printed).toEqual([]);
      }
    });
  });
});

function isMissing(program: string): boolean {
  return !systemPath.split(':').some((folder) => existsSync(resolve(folder, program)));
}

/** What the commands printed that an output stands behind. */
function printedBefore(all: readonly Part[], index: number, results: readonly Walked[]): string {
  const before = all.slice(0, index).findLast(({ kind }) => kind === 'run');
  return results.find(({ part }) => part === before)?.printed ?? '';
}
