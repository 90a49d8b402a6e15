/** Keys of the session that a node was started in, and what programs share. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWhere, nobody, readableByNobody, root } from '../../support/needs.ts';
import type { UserNodeReport } from './user-node.ts';

const node = join(import.meta.dirname, 'user-node.ts');

/** The numbers of keyctl(2) and add_key(2); linux/keyctl.h has those that follow. */
const [keyctl, addKey] = process.arch === 'x64' ? [250, 248] : [219, 217];

/** As a login does: joins a session keyring without a name, which has a key. */
const session = `
my ($type, $name, $value) = ('user', 'of-the-node', 'secret');
syscall(${keyctl}, 1, 0) > 0 && syscall(${addKey}, $type, $name, $value, 6, -3) > 0 or die $!;
exec @ARGV;
`;

/** Takes from the session keyring, gives itself the rights to it, leaves a key there, and says what came of each. */
const thief = `#!/usr/bin/perl
my $type = 'user';
sub told { my ($what, $answer) = @_; print "$what ", $answer >= 0 ? 'done' : $!{EACCES} ? 'EACCES' : $!, "\\n"; $answer }
told('rights', syscall(${keyctl}, 5, -3, 0x3f3f3f3f));
for my $name (map { "$_" } qw(of-the-node of-a-program)) {
  my $key = told("search $name", syscall(${keyctl}, 10, -3, $type, $name, 0));
  my $value = '.' x 16;
  syscall(${keyctl}, 11, $key, $value, 16);
  print "$value\\n" if $key > 0;
}
my ($name, $value, $keys) = ('of-a-program', 'left', ' ' x 256);
told('add', syscall(${addKey}, $type, $name, $value, 4, -3));
told('clear', syscall(${keyctl}, 7, -3));
print 'bytes ', syscall(${keyctl}, 11, -3, $keys, 256), "\\n";
told('join', syscall(${keyctl}, 1, 0));
told('own', syscall(${addKey}, $type, $name, $value, 4, -3));
`;

const refused = [
  ...['rights', 'search of-the-node', 'search of-a-program', 'add', 'clear'].map(
    (what) => `${what} EACCES\n`,
  ),
  // Who has a keyring may list it, whatever its rights: there is nothing in it.
  'bytes 0\n',
  ...['join', 'own'].map((what) => `${what} done\n`),
].join('');

let base: string;

beforeEach(async () => {
  base = await mkdtemp('/var/spear-keys-');
  mkdirSync(join(base, 'temporary'));
  for (const folder of [base, join(base, 'temporary')]) chownSync(folder, nobody, nobody);
  chmodSync(base, 0o755);
  writeFileSync(join(base, 'thief'), thief, { mode: 0o755 });
});

afterEach(() => rm(base, { recursive: true, force: true }));

/** What two programs, one after the other, say on a node in such a session. */
async function told(as: readonly string[]): Promise<readonly string[]> {
  const script = join(base, 'thief');
  const runtime = { hidden: [], temporaryFolder: join(base, 'temporary') };
  const options = JSON.stringify({ script, before: [script], runtime });
  const [file = '', ...args] = [...as, process.execPath, '--no-warnings', node, options];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  const report = JSON.parse(output) as UserNodeReport;
  return [...(report.before ?? []), `${report.output}${report.errors}`];
}

const inSession = ['perl', '-e', session];
const asNobody = ['setpriv', '--reuid', String(nobody), '--regid', String(nobody), '--clear-groups'];

describeWhere([root(), readableByNobody()], 'a program of a node in a session with keys', () => {
  it('has none of them where the node is root, and leaves none for the next', async () => {
    expect(await told(inSession)).toEqual([refused, refused]);
  });

  it('has none of them where the node is not root, and leaves none for the next', async () => {
    expect(await told([...asNobody, ...inSession])).toEqual([refused, refused]);
  });
});
