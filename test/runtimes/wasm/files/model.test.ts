import { lstatSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FileError } from '../../../../src/runtimes/wasm/files/port.ts';
import { bytes, Folder, holds } from './folder.ts';

const plain = fc.constantFrom('a', 'b', 'c', 'd', '.', '');
const name = fc.oneof({ weight: 5, arbitrary: plain }, { weight: 2, arbitrary: fc.constant('..') });
const path = fc.oneof(
  { weight: 9, arbitrary: fc.array(name, { minLength: 1, maxLength: 6 }).map((names) => names.join('/')) },
  { weight: 1, arbitrary: fc.constantFrom('/', '/etc', '/a/b', '../outside', 'a/../../outside/secret') },
);

/** What happens to a folder: the first word says what, by whom is left to the test. */
const step = fc.record({
  kind: fc.constantFrom('directory', 'file', 'link', 'rename', 'remove'),
  path,
  other: path,
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Device and inode, and so the thing itself and not its name. */
type Identity = string;

function answer(call: () => Identity): Identity {
  try {
    return call();
  } catch (error) {
    if (error instanceof FileError) return error.errno;
    if (error instanceof Error && 'code' in error) return String(error.code);
    throw error;
  }
}

function identity({ dev, ino }: { dev: bigint; ino: bigint }): Identity {
  return `${dev}:${ino}`;
}

/** All that is below a folder, links not followed. */
function identitiesIn(folder: string, into = new Set<Identity>()): Set<Identity> {
  const stats = lstatSync(folder, { bigint: true });
  into.add(identity(stats));
  if (stats.isDirectory()) for (const child of readdirSync(folder)) identitiesIn(join(folder, child), into);
  return into;
}

describe.each(holds)('any paths and links in a folder held %s', (_, hold) => {
  const folder = new Folder({ hold });
  afterAll(() => folder.remove());
  writeFileSync(join(folder.outside, 'secret'), 'secret');
  const outer = () => JSON.stringify([...identitiesIn(folder.outside)]);

  function clear(): void {
    for (const child of readdirSync(folder.path)) rmSync(join(folder.path, child), { recursive: true });
  }

  function take({ kind, path: text, other }: Step): void {
    const { root } = folder;
    const target = bytes(text);
    if (kind === 'directory') root.makeDirectory(target);
    else if (kind === 'file') folder.write(text, 'x', { truncate: true });
    else if (kind === 'link') root.symlink(bytes(other), target);
    else if (kind === 'rename') root.rename(target, root, bytes(other));
    else root.unlink(target);
  }

  it('lead to nothing but what is in it', () => {
    const before = outer();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.array(path, { maxLength: 8 }), (steps, paths) => {
        clear();
        // The host's own links may lead anywhere.
        symlinkSync('../outside', join(folder.path, 'd'));
        for (const each of steps) answer(() => String(take(each)));
        expect(outer()).toBe(before);
        const inside = identitiesIn(folder.path);
        for (const text of paths) {
          const found = answer(() => {
            const { device, inode } = folder.root.statAt(bytes(text), true);
            return identity({ dev: device, ino: inode });
          });
          if (/^\d/.test(found)) expect(inside).toContain(found);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('lead where the system would lead, or are refused for leaving it', () => {
    const { root } = folder;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('directory', 'file', 'link'), path, path), { maxLength: 10 }),
        fc.array(path, { minLength: 1, maxLength: 8 }),
        (things, paths) => {
          clear();
          let leaving = false;
          for (const [kind, where, target] of things) {
            const at = join(folder.path, 'a', where);
            if (!at.startsWith(folder.path)) continue;
            answer(() => {
              if (kind === 'directory') mkdirSync(at, { recursive: true });
              else if (kind === 'file') writeFileSync(at, 'x', { flag: 'wx' });
              else symlinkSync(target, at);
              if (kind === 'link') leaving ||= /^\/|\.\./.test(target);
              return '';
            });
          }
          for (const text of paths) {
            const ours = answer(() => {
              const { device, inode } = root.statAt(bytes(text), true);
              return identity({ dev: device, ino: inode });
            });
            // Not joined, which would take `..` away before the system sees it.
            const real = answer(() => identity(statSync(`${folder.path}/${text}`, { bigint: true })));
            const mayLeave = leaving || text.startsWith('/') || text.includes('..');
            if (mayLeave && ours === 'EPERM') continue;
            expect([text, ours]).toEqual([text, text === '' ? 'ENOENT' : real]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
