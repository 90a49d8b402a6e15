/** What programs of a node that is not root see of the node, and of each other. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ownHierarchies } from '../../../src/runtimes/containment/cells/hierarchy.ts';
import { describeWhere, nobody, readableByNobody, root } from '../../support/needs.ts';
import { processesWith, until } from './processes.ts';
import type { UserNodeOptions, UserNodeReport } from './user-node.ts';

const node = join(import.meta.dirname, 'user-node.ts');

let base: string;
let data: string;

beforeEach(async () => {
  // Not below a folder that everyone can write to, all of which is hidden.
  base = await mkdtemp('/var/spear-confined-');
  data = join(base, 'data');
  chownSync(base, nobody, nobody);
  for (const name of ['data', 'temporary']) {
    mkdirSync(join(base, name));
    chownSync(join(base, name), nobody, nobody);
  }
  writeFileSync(join(data, 'admin-token'), 'the token');
});

afterEach(() => rm(base, { recursive: true, force: true }));

function script(path: string, lines: string): string {
  writeFileSync(path, `#!/bin/sh\n${lines}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** Starts such a node with a script. `system` are commands of root, for mounts that only this node sees. */
function startNode(options: UserNodeOptions, system = '') {
  const runtime = { hidden: [data], temporaryFolder: join(base, 'temporary'), ...options.runtime };
  const user = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];
  return spawn(
    'unshare',
    [
      ...['--mount', 'sh', '-e', '-c', `${system}\nexec "$@"`, 'sh', 'setpriv', ...user],
      ...[process.execPath, '--no-warnings', node, JSON.stringify({ ...options, runtime })],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

async function run(options: UserNodeOptions, system = ''): Promise<UserNodeReport> {
  const child = startNode(options, system);
  const [told] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return JSON.parse(told) as UserNodeReport;
}

/** That no user namespace can own a mount: the command that makes mounts is not there. */
const withoutMount = 'mount --bind /dev/null "$(readlink -f "$(command -v mount)")"';

describeWhere([root(), readableByNobody()], 'a program of a node that is not root', () => {
  it('sees its own folder, which it can write to, and no other of the node', async () => {
    const path = script(join(base, 'own'), 'echo mine >file; cat file; ls -A "$1" "$(dirname "$PWD")"');
    const { outcome, output } = await run({ script: path, args: [data] });
    expect(outcome).toMatchObject({ kind: 'completed' });
    expect(output).toMatch(/^mine\n\/var\/spear-confined-\w+\/data:\n\n\S+\/spear-test-\S+:\nrun-1\n$/);
    expect(readdirSync(join(base, 'temporary'))).toEqual([]);
  });

  it('has no capability, and can gain none', async () => {
    const path = script(
      join(base, 'rights'),
      'grep -E "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)" /proc/self/status',
    );
    const { output } = await run({ script: path });
    expect(output?.replaceAll(/\s+/g, ' ').trim()).toBe(
      [
        ...['Inh', 'Prm', 'Eff'].map((name) => `Cap${name}: 0000000000000000`),
        'CapAmb: 0000000000000000',
        'NoNewPrivs: 1',
      ].join(' '),
    );
  });

  it('runs from the data folder, and sees nothing but itself there', async () => {
    const path = script(join(data, 'stored'), 'echo "$0"; ls -A "$1"; echo more >>"$0"');
    chownSync(path, nobody, nobody);
    const { outcome, output, errors } = await run({ script: path, args: [data] });
    expect(outcome).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT' });
    expect(output).toBe(`${path}\nstored\n`);
    expect(errors).toContain('Read-only file system');
  });

  it('sees what is beside its file, but not the data folder where that is there, too', async () => {
    const shared = await mkdtemp('/tmp/spear-confined-');
    try {
      const inner = join(shared, 'data');
      mkdirSync(inner);
      chmodSync(shared, 0o755);
      writeFileSync(join(inner, 'admin-token'), 'the token');
      const path = script(join(shared, 'beside'), 'ls -A "$1" "$1/data"; echo mine >/tmp/mine');
      const { outcome, output } = await run({ script: path, args: [shared], runtime: { hidden: [inner] } });
      expect(outcome).toMatchObject({ kind: 'completed' });
      expect(output).toBe(`${shared}:\nbeside\ndata\n\n${inner}:\n`);
      expect(existsSync('/tmp/mine')).toBe(false);
    } finally {
      await rm(shared, { recursive: true, force: true });
    }
  });

  it('is alone in /tmp where its file lies there', async () => {
    const path = script(`/tmp/spear-alone-${process.pid}`, 'echo "$0"; ls -A /tmp');
    try {
      expect((await run({ script: path })).output).toBe(`${path}\n${basename(path)}\n`);
    } finally {
      await rm(path);
    }
  });

  it('has its secrets, and no folder of those of others', async () => {
    const path = script(join(base, 'secret'), 'cat "$SPEAR_SECRETS/KEY"; ls "$(dirname "$SPEAR_SECRETS")"');
    const { output } = await run({ script: path, secret: 'value' });
    expect(output).toBe('valueinstance_1\n');
  });

  it('is asked to stop, and can do something about it', async () => {
    const path = script(
      join(base, 'stops'),
      'trap "echo cleaned; exit 0" TERM; echo ready; while :; do sleep 0.01; done',
    );
    const { outcome, output } = await run({ script: path, stop: true });
    expect(output).toBe('ready\ncleaned\n');
    expect(outcome).toMatchObject({ kind: 'stopped', rung: 'term' });
  });

  it('ends with a node that is killed, and all that it started', async () => {
    const mark = `1000.${process.pid}`;
    const path = script(join(base, 'stays'), `setsid sleep ${mark} & sleep ${mark}`);
    const child = startNode({ script: path });
    await until('both sleep', () => processesWith(`sleep\0${mark}`).length === 2);
    child.kill('SIGKILL');
    await until('neither does', () => processesWith(`sleep\0${mark}`).length === 0);
  });

  it('may not have the data folder as its working folder', async () => {
    const path = script(join(base, 'works'), 'ls');
    const { refused } = await run({ script: path, workingDirectory: data });
    expect(refused?.message).toBe(
      `definition.working_directory: "${data}" is in a folder of the node's own, which no program sees; allowed are others`,
    );
  });

  it('sees which processes run where no /proc can be mounted, and still nothing of the node', async () => {
    const path = script(
      join(base, 'looks'),
      'cd "/proc/$1" && ls -d . && for file in environ mem root/etc/passwd fd/0; do cat $file >/dev/null 2>&1 && echo "$file"; done; kill -9 "$1" 2>/dev/null && echo killed; ls -A "$2"',
    );
    // As in a container: a part of it is laid over.
    const { warnings, output } = await run(
      { script: path, args: ['NODE', data] },
      'mount --bind /dev/null /proc/version',
    );
    expect(warnings.join()).toContain('none of their own can be mounted');
    expect(output).toBe('.\n');
  });

  it('cannot write to the cgroups that are delegated to the node', async (context) => {
    const [own] = ownHierarchies(
      readFileSync('/proc/self/cgroup', 'utf8'),
      readFileSync('/proc/self/mountinfo', 'utf8'),
    ).filter(({ version, controllers }) => version === 2 || controllers.includes('pids'));
    if (own === undefined) context.skip('no cgroup can be made here');
    const group = `${own?.folder}/spear-confined-${process.pid}`;
    mkdirSync(group);
    for (const name of ['', ...readdirSync(group)]) chownSync(join(group, name), nobody, nobody);
    try {
      const path = script(
        join(base, 'cgroups'),
        'ls -A "$1"; cat /proc/self/cgroup; echo 0 >"$1/cgroup.procs"',
      );
      const { outcome, output, errors } = await run(
        { script: path, args: [group] },
        `echo $$ >${group}/cgroup.procs`,
      );
      expect(outcome, errors).toMatchObject({ kind: 'failed', code: 'FUNCTION_EXIT' });
      // In a cell, of which it sees nothing.
      expect(output).toMatch(
        new RegExp(`^\\d+:[^\\n]*/spear-confined-${process.pid}/spear-test-\\S+/c1$`, 'm'),
      );
      expect(output).toMatch(/^\d+:/);
      expect(errors).toContain('cgroup.procs');
    } finally {
      rmdirSync(group);
    }
  });

  it('cannot move what leads to what is hidden from it, for the next program to find', async () => {
    const [upper, lower, link] = ['upper', 'upper/lower', 'link'].map((name) => join(base, name));
    const secrets = join(lower ?? '', 'secrets');
    mkdirSync(secrets, { recursive: true });
    for (const folder of [upper, lower, secrets]) chownSync(folder ?? '', nobody, nobody);
    writeFileSync(join(secrets, 'key'), 'the secret');
    symlinkSync('upper/lower', link ?? '');
    const mover = script(
      join(base, 'mover'),
      `cd ${base}; LC_ALL=C; export LC_ALL
for place in upper/lower/secrets upper/lower upper temporary data; do mv -T $place moved 2>&1 || rmdir $place 2>&1; done
mkdir -p decoy/data && ln -s ../../data/admin-token decoy/data/admin-token && echo made
unshare --user --map-root-user --mount true 2>/dev/null || echo alone`,
    );
    const reader = script(join(base, 'reader'), `find ${base} -name key -o -name admin-token -type f`);
    const { before, output, outcome } = await run({
      before: [mover],
      script: reader,
      runtime: { hidden: [data, join(link ?? '', 'secrets')] },
    });
    const [moves] = before ?? [];
    expect(moves?.match(/Device or resource busy/g)).toHaveLength(10);
    expect(moves).toContain('made\nalone\n');
    expect(output).toBe('');
    expect(outcome).toMatchObject({ kind: 'completed' });
  });

  it.each([
    ['the data folder', 'data'],
    ['what the data folder is in', 'within'],
    ['the temporary folder', 'temporary'],
  ])('is not started where %s was moved', async (_what, name) => {
    const inner = join(base, 'within', 'data');
    mkdirSync(inner, { recursive: true });
    chownSync(join(base, 'within'), nobody, nobody);
    chownSync(inner, nobody, nobody);
    const path = script(join(base, 'tries'), 'echo runs');
    const { refused, before, warnings } = await run({
      before: [path],
      script: path,
      moved: [[join(base, name), join(base, 'moved')]],
      runtime: { hidden: [data, inner] },
    });
    expect(before).toEqual(['runs\n']);
    expect(refused).toMatchObject(
      name === 'temporary' ? { reason: 'START_FAILED' } : { reason: 'RUNTIME_UNAVAILABLE' },
    );
    if (name !== 'temporary') expect(warnings.join()).toMatch(/is no longer there/);
  });

  it('is not started where another folder is in the place of one that is hidden', async () => {
    const decoy = join(base, 'decoy');
    mkdirSync(decoy);
    const path = script(join(base, 'tries'), `cat ${base}/moved/admin-token`);
    const moved = [
      [data, join(base, 'moved')],
      [decoy, data],
    ] as const;
    const { refused, warnings } = await run({ script: path, moved });
    expect(refused).toMatchObject({ reason: 'RUNTIME_UNAVAILABLE' });
    expect(refused?.message).not.toContain(base);
    expect(warnings.join()).toContain(`${data} is another folder than it was`);
  });

  it.each([
    ['neither reads nor writes a key of the node', 'hidden'],
    ['reads and does not write a file that the node trusts', 'trusted'],
  ])('%s, whatever it renames', async (_what, kind) => {
    const keys = join(base, 'keys');
    mkdirSync(keys);
    const file = join(keys, 'jwks.json');
    const link = join(base, 'linked.json');
    writeFileSync(file, 'the keys');
    symlinkSync('keys/jwks.json', link);
    for (const path of [keys, file]) chownSync(path, nobody, nobody);
    const forger = script(
      join(base, 'forger'),
      `export LC_ALL=C; for file in ${file} ${link}; do cat $file; echo mine >$file; chmod 600 $file; done
rm ${file}; mv ${file} ${keys}/old; mv ${keys} ${base}/old; rm ${link}; echo other >${link}; true`,
    );
    const reader = script(join(base, 'reader'), `cat ${file}`);
    const { before, output } = await run({
      before: [forger],
      script: reader,
      runtime: { hidden: [data], [kind]: [link] },
    });
    expect(before?.[0]?.match(/Read-only file system/g)).toHaveLength(4);
    expect(before?.[0]?.match(/Device or resource busy/g)).toHaveLength(3);
    expect(before?.[0]?.split('the keys')).toHaveLength(kind === 'hidden' ? 1 : 3);
    expect(output).toBe(kind === 'hidden' ? '' : 'the keys');
    expect(readFileSync(file, 'utf8')).toBe('the keys');
  });

  it('runs where nothing can take the keys of the session from it, and the log says so', async () => {
    const path = script(join(base, 'keyed'), 'echo runs');
    const { output, warnings } = await run(
      { script: path },
      'mount --bind /dev/null "$(readlink -f "$(command -v perl)")"',
    );
    expect(output).toBe('runs\n');
    expect(warnings).toEqual([expect.stringContaining('have the keys of the session')]);
  });

  it('is refused where nothing can be hidden, unless the node is told to run it', async () => {
    const path = script(join(base, 'reads'), 'cat "$1/admin-token"');
    const options = { script: path, args: [data] };
    const { refused, warnings } = await run(options, withoutMount);
    expect(refused).toMatchObject({ reason: 'HOST_ACCESS_NOT_ALLOWED' });
    expect(refused?.message).toContain('--allow-host-access');
    expect(warnings.join()).toContain('no process tasks without --allow-host-access');
    const told = await run({ ...options, runtime: { unconfined: true } }, withoutMount);
    expect(told.output).toBe('the token');
    expect(told.warnings.join()).toContain('can read the node’s own files');
  });
});
