import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { maxOpenFiles } from '../../../../src/runtimes/wasm/files/file-system.ts';
import { describeWhere, wasiCompiler } from '../../../support/needs.ts';
import { compileWasi } from '../../../support/wasi.ts';
import { Folder } from '../files/folder.ts';
import { runCommand, runUnderNode } from './command.ts';

let folder: Folder;
beforeEach(() => {
  folder = new Folder();
});
afterEach(() => folder.remove());

describeWhere([await wasiCompiler()], 'a C program with a preopen', () => {
  const compiled = new Map<string, Promise<WebAssembly.Module>>();
  const program = (name: string): Promise<WebAssembly.Module> => {
    const found = compiled.get(name) ?? compile(name);
    compiled.set(name, found);
    return found;
  };
  const run = async (name: string, ...args: readonly string[]) =>
    runCommand(await program(name), { args }, folder.guest());

  it('gets from each function what it gets under the WASI of Node', async () => {
    const oracle = mkdtempSync(join(tmpdir(), 'spear-oracle-'));
    try {
      const options = { args: ['misc'] };
      const ours = runCommand(await program('fs'), options, folder.guest());
      const nodes = await runUnderNode(await program('fs'), options, { '/data': oracle });
      // The number of the file, which is its own, and how a path that leaves is refused.
      const same = (text: string) => text.replace(/ino \d+/, 'ino').replace(/^escape -1 .*$/m, 'escape -1');
      expect(same(ours.stdout)).toBe(same(nodes.stdout));
      expect(ours.exitCode).toBe(nodes.exitCode);
      expect(ours.stdout).toContain('escape -1 Operation not permitted');
    } finally {
      rmSync(oracle, { recursive: true });
    }
  });

  it('appends line by line through stdio, and no line is lost between two', async () => {
    await run('fs', 'append', '/data/log', '20', 'AAAA');
    await run('fs', 'append1', '/data/log', '20', 'BBBB');
    const lines = readFileSync(join(folder.path, 'log'), 'utf8').trimEnd().split('\n');
    expect(lines).toEqual(
      ['AAAA', 'BBBB'].flatMap((name) => Array.from({ length: 20 }, (_, n) => `${name} line ${n}`)),
    );
  });

  it('sets times that it reads back', async () => {
    const { stdout, stderr } = await run('fs', 'touch', '/data/t');
    // A null pointer for "now" is not among them: this libc asks for 1970.
    expect(stdout).toContain('mtime=1600000001.500000000 atime=1600000000.000000000');
    expect(stdout).toContain('mtime=1600000002.000000000');
    expect(stderr).toBe('');
  });

  it('may name a file with a backslash, and lists it', async () => {
    expect((await run('fs', 'nul')).stdout).toMatch(/^backslash name: \d+ /);
    expect((await run('fs', 'statdir', '/data')).stdout).toContain('[a\\b] type=');
  });

  it('lists a folder of many entries, each once, through readdir', async () => {
    for (let n = 0; n < 300; n += 1) writeFileSync(join(folder.path, `file ${n}`), '');
    expect((await run('fs', 'statdir', '/data')).stdout).toContain('n=302');
  });

  it('may have as many files open as the documents say, and then gets EMFILE', async () => {
    const { stdout } = await run('fdleak');
    expect(stdout).toBe(`${maxOpenFiles} open: No file descriptors available\nopened ${maxOpenFiles}\n`);
  });

  it('cannot read 2 GB into less memory, and the host allocates nothing of that length', async () => {
    const { stdout, ending } = await run('bigread', '2000000000');
    expect(stdout).toContain('pread -1 Bad address');
    expect(ending).toMatchObject({ kind: 'completed' });
  });

  it.each(['read', 'write', 'ls', 'unlink'])(
    'cannot %s outside through a folder that it has replaced by a link',
    async (mode) => {
      writeFileSync(join(folder.outside, 'passwd'), 'outside');
      const { stdout } = await run('escape', '../outside', 'passwd', mode);
      expect(stdout).not.toMatch(/READ|wrote|entry passwd|unlinkat 0/);
      expect(readFileSync(join(folder.outside, 'passwd'), 'utf8')).toBe('outside');
    },
  );
});

async function compile(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await compileWasi(new URL(`programs/${name}.c`, import.meta.url)));
}
