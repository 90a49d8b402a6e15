/** Attacks of processes: shell and Perl, which every Debian has. */
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import type { Random } from '../crash/random.ts';
import type { AttackKind, Definition, Target } from './attack.ts';

const mebibyte = 1024n * 1024n;
/** What a script ends with that runs as root: it must do no harm then. */
export const ranAsRoot = 99;

const guard = `[ "$(id -u)" -ne 0 ] || exit ${ranAsRoot}\n`;

/** Connects to each port named, and to each socket of the node that is listed, and says little or nothing. */
const connector = `use Socket;
my $name = shift; my @held;
for my $port (@ARGV) { for my $each (1 .. 100) {
  socket(my $s, PF_INET, SOCK_STREAM, 0) or last;
  connect($s, pack_sockaddr_in($port, INADDR_LOOPBACK)) or last;
  syswrite($s, join "", map { chr rand 256 } 1 .. 50) if $each % 2; push @held, $s;
} }
open(my $list, "<", "/proc/net/unix"); my @lines = <$list>;
for (@lines) { next unless /\\s([@\\/]\\S*\\Q$name\\E\\S*)$/; my $path = $1; $path =~ s/^@/\\0/;
  for (1 .. 100) { socket(my $s, PF_UNIX, SOCK_STREAM, 0) or last; connect($s, pack_sockaddr_un($path)) or last; push @held, $s; } }
print "held ", scalar @held, "\\n"; sleep 60;`;

function shell(
  name: string,
  weight: number,
  script: string,
  args: (target: Target, random: Random) => Promise<readonly string[]> | readonly string[] = () => [],
): AttackKind {
  return {
    name,
    weight,
    random: false,
    seesHost: true,
    async draw(random, target): Promise<Definition> {
      return {
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/sh' } },
        args: ['-c', `${guard}${script}`, 'attack', ...(await args(target, random))],
        limits: { memory: 96n * mebibyte, processes: 40, maxOutputBytes: 4n * mebibyte },
      };
    },
  };
}

const marked = ({ mark }: Target) => [mark];

export const processAttacks: readonly AttackKind[] = [
  shell('fork bomb', 1, 'bomb() { bomb | bomb & }; bomb; wait; sleep 60'),
  shell('children without end', 1, 'while :; do sleep "$1" & done', marked),
  shell(
    'background jobs',
    2,
    'setsid sleep "$1" >/dev/null 2>&1 </dev/null & (setsid sh -c "trap \\"\\" TERM HUP; while :; do sleep $1; done" &) ; sleep "$1" & exit 0',
    marked,
  ),
  shell(
    'full /tmp and /dev/shm',
    1,
    'cp /bin/sh /tmp/left; chmod 4755 /tmp/left; ls -l /tmp /dev/shm; dd if=/dev/zero of=/dev/shm/left bs=1M count=300; dd if=/dev/zero of=/tmp/more bs=1M count=300; sleep 60',
  ),
  shell(
    'full folder',
    1,
    'fallocate -l 100G all; exec 3<>all; rm all; dd if=/dev/zero of=more bs=1M count=300; rm more; i=0; while :; do : >"$i"; i=$((i + 1)); done 2>/dev/null; sleep 60',
  ),
  shell(
    'stubborn files',
    1,
    'i=0; while [ $i -lt 300 ]; do mkdir -p "d$i/e"; : >"d$i/-rf"; ln -s / "d$i/root"; chmod 0 "d$i"; i=$((i + 1)); done; mkdir a; while cd a 2>/dev/null; do mkdir a || break; done',
  ),
  shell(
    'signals',
    1,
    'for pid in "$@" $PPID; do for signal in STOP KILL TERM USR1; do kill -$signal "$pid"; done; done 2>/dev/null; kill -34 $$; sleep 60',
    async ({ processes }) => processes(),
  ),
  shell('stops itself', 0.5, "trap '' TERM; kill -STOP $$; sleep 60"),
  shell('deaf loop', 1, "trap '' TERM HUP INT; while :; do :; done"),
  shell('flood', 1, 'yes "$1" & yes >&2', marked),
  shell('endless bytes', 0.5, 'cat /dev/zero'),
  shell(
    'snooping',
    2,
    'cat "$1" "$2"/* /proc/*/environ /proc/*/cmdline /proc/*/root/tmp/* /tmp/* /tmp/*/* 2>/dev/null; echo x >"$2/planted"; echo x >"$1"; sleep 0.3; cat /proc/*/cmdline; exit 3',
    ({ secretFile, dataDir }) => [secretFile, dataDir],
  ),
  shell(
    'connections',
    1,
    `exec perl -e '${connector.replaceAll("'", "'\\''")}' "$@"`,
    ({ nodeName, grpcAddress, httpAddress }) => [
      nodeName,
      ...[grpcAddress, httpAddress].map((address) => address.slice(address.lastIndexOf(':') + 1)),
    ],
  ),
];
