import { chmod, mkdtemp, rmdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { describeWhere, root } from '../../support/needs.ts';
import { firstOutput, run } from '../attempt.ts';
import { openRuntime, Programs, start, withLimits } from './fixtures.ts';

const mebibyte = 1024 * 1024;
const scratchBytes = 16 * mebibyte;

/** The number of sendmsg(2). Source: the kernel's arch/x86/entry/syscalls/syscall_64.tbl, asm-generic/unistd.h. */
const sendmsg: Readonly<Record<string, number>> = { x64: 46, arm64: 211 };

/** Fills files, removes their names, and keeps them in messages that nobody takes; tells the bytes in them. */
const hidingScript = `#!/usr/bin/perl
use Socket;
socketpair(my $from, my $to, AF_UNIX, SOCK_STREAM, 0) or die;
my ($held, $data, $byte) = (0, "x" x 65536, "x");
for my $number (1 .. 64) {
  open my $file, ">", "data-$number" or last;
  unlink "data-$number";
  for (1 .. 16) { my $wrote = syswrite $file, $data; last unless $wrote; $held += $wrote }
  my $rights = pack "Qiii x4", 20, SOL_SOCKET, 1, fileno $file;
  my $part = pack "PQ", $byte, 1;
  my $message = pack "QQPQPQQ", 0, 0, $part, 1, $rights, 24, 0;
  syscall($ARGV[0], fileno $from, $message, 0) == 1 or die "not sent: $!";
}
print "held $held";
`;

describeWhere([root()], 'the folder of a process', () => {
  let programs: Programs;
  let runtime: Runtime;

  beforeAll(async () => {
    programs = await Programs.make();
    runtime = await openRuntime({ scratchBytes });
  });

  afterAll(async () => {
    await runtime.close();
    await programs.remove();
  });

  const holds = (bytes: number) => {
    expect(bytes).toBeGreaterThanOrEqual(scratchBytes);
    expect(bytes).toBeLessThan(2 * scratchBytes);
  };

  it('takes no more than its bound, and the outcome names it', async () => {
    const fills = await programs.script(
      'fills',
      'head -c 100000000 /dev/zero >data; code=$?; wc -c <data; exit $code',
    );
    const { outcome, stdout, stderr } = await run(runtime, fills);
    holds(Number(stdout));
    expect(stderr.toString()).toMatch(/No space left on device/);
    expect(outcome).toMatchObject({
      kind: 'failed',
      code: 'FUNCTION_EXIT',
      message: expect.stringMatching(/--max-scratch-bytes/),
    });
  });

  it('is as large for the next one, and empty', async () => {
    const uses = await programs.script(
      'uses',
      `ls -A; head -c ${scratchBytes} /dev/zero >data && wc -c <data`,
    );
    for (const _ of [1, 2]) {
      const { outcome, stdout } = await run(runtime, uses);
      expect(stdout.toString().trim()).toBe(String(scratchBytes));
      expect(outcome.kind).toBe('completed');
    }
  });

  it('cannot be made to hold more by room that is taken without a write', async () => {
    const takes = await programs.script(
      'allocates',
      'for i in 1 2 3 4; do fallocate -l 64M file-$i; done; du -sk .',
    );
    const { stdout } = await run(runtime, takes);
    holds(Number.parseInt(stdout.toString(), 10) * 1024);
  });

  // What no look at the folder, and none at /proc, would find.
  it('counts a file that has no name any more and is open nowhere but in a message', async () => {
    const hides = await programs.program('hides', hidingScript);
    const { stdout } = await run(runtime, { ...hides, args: [String(sendmsg[process.arch])] });
    holds(Number(/held (\d+)/.exec(stdout.toString())?.[1]));
  });

  it('takes so many files and no more', async () => {
    const makes = await programs.program(
      'makes-files',
      '#!/usr/bin/perl\nmy $n = 0; while ($n < 100000) { open my $f, ">", "f$n" or last; $n++ } print $n',
    );
    const { stdout } = await run(runtime, makes);
    expect(Number(stdout)).toBeGreaterThanOrEqual(scratchBytes / 16_384);
    expect(Number(stdout)).toBeLessThan(2000);
  });

  it('has its room while another is full', async () => {
    const full = await programs.script('full', 'head -c 100000000 /dev/zero >data; echo full; read -r _');
    const holding = start(runtime, full);
    await firstOutput(holding.io, holding.running);
    const uses = await programs.script('has-room', `head -c ${scratchBytes} /dev/zero >data && echo all`);
    expect((await run(runtime, uses)).stdout.toString()).toBe('all\n');
    holding.controller.abort();
    await holding.running;
  });

  it('is bounded for a task that names its user', async () => {
    const fills = await programs.script('fills-as', 'head -c 100000000 /dev/zero >data; wc -c <data', {
      user: 'nobody',
    });
    holds(Number((await run(runtime, fills)).stdout));
  });

  it('holds more than the memory of its program', async () => {
    const roomy = await openRuntime({ scratchBytes: 128 * mebibyte });
    const writes = await programs.script('writes', 'head -c 128M /dev/zero >data && wc -c <data');
    const { outcome, stdout } = await run(roomy, withLimits(writes, { memory: 32 * mebibyte }));
    expect(outcome.kind).toBe('completed');
    expect(Number(stdout)).toBe(128 * mebibyte);
    await roomy.close();
  });

  it('is bounded where the node has its temporary folder elsewhere', async () => {
    const temporaryFolder = await mkdtemp('/var/lib/spear-scratch-');
    await chmod(temporaryFolder, 0o755);
    const elsewhere = await openRuntime({ scratchBytes, temporaryFolder });
    const fills = await programs.script('fills-elsewhere', 'head -c 99M /dev/zero >data; pwd; wc -c <data');
    const [path, bytes] = (await run(elsewhere, fills)).stdout.toString().split('\n');
    expect(path).toMatch(temporaryFolder);
    holds(Number(bytes));
    await elsewhere.close();
    await rmdir(temporaryFolder);
  });

  it('has no bound where none can be had, which the log says', async () => {
    const warned: object[] = [];
    const logger = { warn: (details: object, message: string) => warned.push({ ...details, message }) };
    // Larger than any file of a common file system.
    const unbounded = await openRuntime({ scratchBytes: 2 ** 52, logger });
    expect(warned).toEqual([
      {
        reason: `mke2fs cannot make an ext4 file system of ${2 ** 52} bytes`,
        message: 'nothing bounds what programs write to their folders',
      },
    ]);
    const writes = await programs.script('writes-all-the-same', 'head -c 17M /dev/zero >data && wc -c <data');
    expect(Number((await run(unbounded, writes)).stdout)).toBe(17 * mebibyte);
    await unbounded.close();
  });

  it('has a path that programs can find', async () => {
    const looks = await programs.script('finds', 'cd "$(/bin/pwd)" && echo x >y && cat "$(pwd)/y"');
    expect((await run(runtime, looks)).stdout.toString()).toBe('x\n');
  });
});
