/** What `spear completion` prints, in the shells themselves. */
import { execFile } from 'node:child_process';
import { readdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manual } from '../../scripts/manual.ts';
import { inheritedEnvironment } from '../support/environment.ts';
import { describeWhere, fish, man, zsh } from '../support/needs.ts';
import { launcher } from '../support/program-files.ts';
import { adminToken, type LocalServer, startServer } from '../support/server.ts';
import { errorLine, run, temporaryFolder } from './spear.ts';

const execute = promisify(execFile);

async function scriptOf(shell: string): Promise<string> {
  const { code, stdout } = await run(['completion', shell]);
  expect(code).toBe(0);
  const path = join(await temporaryFolder(), `spear.${shell}`);
  await writeFile(path, stdout);
  return path;
}

let server: LocalServer;
beforeAll(async () => {
  server = await startServer();
  await server.register('count-words', 'wordcount/wordcount.wasm');
  await server.register('count-lines', 'wordcount/wordcount.wasm');
});
afterAll(() => server.stop());

/** Of a shell that finds the command and the node. */
function environment() {
  return {
    ...inheritedEnvironment(),
    PATH: `${dirname(launcher)}:${process.env.PATH}`,
    SPEAR_ADDRESS: server.grpcAddress,
    SPEAR_TOKEN: adminToken(server.dataDir),
  };
}

describe('in bash', () => {
  /** What it offers for the last of the words, as bash itself asks for it. */
  async function offered(...lines: readonly (readonly string[])[]): Promise<string[][]> {
    const asked = lines.map(
      (words) =>
        `COMP_WORDS=(spear ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _spear; echo "\${COMPREPLY[*]}"`,
    );
    const program = [
      `source ${await scriptOf('bash')}`,
      'complete -p spear >/dev/null || exit 1',
      ...asked,
    ].join('\n');
    const { stdout } = await execute('bash', ['--norc', '-uc', program], { env: environment() });
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split(' ').filter((word) => word !== ''));
  }

  test('commands, flags and the names of tasks are offered, and nothing for the value of a flag', async () => {
    const [commands, below, flags, tasks, value, none] = await offered(
      ['s'],
      ['task', ''],
      ['serve', '--slots', '3', '--queue-t'],
      ['invoke', 'count-'],
      ['serve', '--slots', ''],
      ['nothing-like-it', '--x'],
    );
    expect(commands).toEqual(expect.arrayContaining(['serve', 'status', 'suspend', 'snapshot']));
    expect(commands?.every((word) => word.startsWith('s'))).toBe(true);
    expect(below).toEqual([
      ...['register', 'list', 'show', 'revisions', 'diff', 'alias', 'rollback', 'reset', 'delete'],
    ]);
    expect(flags).toEqual(['--queue-target-ms']);
    expect(tasks).toEqual(['count-lines', 'count-words']);
    expect([value, none]).toEqual([[], []]);
  });
});

describeWhere([await zsh()], 'in zsh', () => {
  const capture = fileURLToPath(new URL('capture.zsh', import.meta.url));
  /** What stands on the screen after the line, and the line as it is then. */
  async function typed(line: string) {
    const script = await scriptOf('zsh');
    await rename(script, join(dirname(script), '_spear'));
    const { stdout } = await execute('zsh', ['-f', capture, dirname(script), line], { env: environment() });
    const [, after = ''] = /LINE<(.*)>/.exec(stdout) ?? [];
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's own
    return { screen: stdout.replace(/\x1b\[[0-9;?]*[a-zA-Z]/g, ''), after };
  }

  test('commands, flags and the names of tasks are offered', async () => {
    const below = await typed('spear task re');
    for (const name of ['register', 'reset', 'revisions'])
      expect(below.screen).toMatch(new RegExp(`\n${name} `));
    expect((await typed('spear serve --slots 3 --queue-tar')).after).toMatch(/ --queue-target-ms /);
    const tasks = await typed('spear invoke count-');
    expect(tasks.screen).toMatch(/count-lines +count-words/);
    expect((await typed('spear invoke count-w')).after).toMatch(/^spear invoke count-words /);
  });
});

describeWhere([await fish()], 'in fish', () => {
  async function offered(line: string): Promise<string[]> {
    const program = `source ${await scriptOf('fish')}; complete -C '${line}'`;
    const { stdout } = await execute('fish', ['--no-config', '-c', program], { env: environment() });
    return stdout
      .split('\n')
      .slice(0, -1)
      .map((each) => each.split('\t', 1)[0] ?? '');
  }

  test('commands, flags and the names of tasks are offered', async () => {
    expect(await offered('spear task re')).toEqual(['register', 'reset', 'revisions']);
    expect(await offered('spear serve --slots 3 --queue-t')).toEqual(['--queue-target-ms']);
    expect(await offered('spear invoke count-')).toEqual(['count-lines', 'count-words']);
    expect(await offered('spear s')).toEqual(expect.arrayContaining(['serve', 'status', 'suspend']));
  });
});

test('no shell runs what a server says in its names', async () => {
  const folder = await temporaryFolder();
  const hostile = [`$(touch$\{IFS}ran)`, '`touch ran`', '*', `a;touch$\{IFS}ran`, 'good-name'];
  await writeFile(join(folder, 'names'), ['NAME', ...hostile].join('\n'));
  const program = [
    `source ${await scriptOf('bash')}`,
    'spear() { cat names; }',
    `COMP_WORDS=(spear task show ''); COMP_CWORD=3; _spear; printf '%s\\n' "$\{COMPREPLY[@]}"`,
  ].join('\n');
  const { stdout } = await execute('bash', ['--norc', '-uc', program], { cwd: folder });
  expect(stdout).toBe('good-name\n');
  expect(await readdir(folder)).toEqual(['names']);
});

test.each(['zsh', 'fish'])('the script for %s has every command', async (shell) => {
  const { stdout } = await run(['completion', shell]);
  for (const path of ['spear serve', 'spear task register', 'spear config show', 'spear log level']) {
    expect(stdout.toString()).toContain(path);
  }
});

test('a shell that is not known is told', async () => {
  const ended = await run(['completion', 'tcsh']);
  expect(ended.code).toBe(64);
  expect(errorLine(ended)).toBe('spear: SHELL: is "tcsh"; allowed are bash, zsh, fish');
});

test('the manual page has each command, and no line that its macros do not know', () => {
  const lines = manual().trimEnd().split('\n');
  const requests = new Set(lines.filter((line) => line.startsWith('.')).map((line) => line.split(' ', 1)[0]));
  expect([...requests].sort()).toEqual(['.B', '.I', '.RI', '.SH', '.SS', '.TH', '.TP']);
  const commands = lines.filter((line) => line.startsWith('.SS'));
  expect(commands).toEqual(expect.arrayContaining([expect.stringContaining('spear task register')]));
  expect(lines.filter((line) => line.startsWith("'"))).toEqual([]);
});

describeWhere([await man()], 'man', () => {
  test('shows the manual page without a warning', async () => {
    const path = join(await temporaryFolder(), 'spear.1');
    await writeFile(path, manual());
    const { stdout, stderr } = await execute('man', ['--warnings', '-l', path], {
      env: { ...inheritedEnvironment(), LC_ALL: 'C.UTF-8', MANPAGER: 'cat' },
    });
    expect(stderr).toBe('');
    expect(stdout).toContain('EXIT STATUS');
  });
});
