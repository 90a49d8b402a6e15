/** Attacks of containers, in the shell of the test image. Each may use the folder of its lane. */
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { containersOf } from '../runtimes/docker/tasks.ts';
import { makeTestImage, testImage } from '../support/docker-image.ts';
import { dockerEngine } from '../support/needs.ts';
import type { AttackKind, Definition, Target } from './attack.ts';

const mebibyte = 1024n * 1024n;
/** A container takes a good part of a second to start on a machine under attack. */
const startMs = 1500;
/** Together less than a tenth of the attacks of a lane: each keeps the engine busy, which the calls then feel. */
const weight = 0.5;

function container(
  name: string,
  script: string,
  args: (target: Target) => Promise<readonly string[]> | readonly string[] = () => [],
): AttackKind {
  return {
    name: `container: ${name}`,
    weight,
    random: false,
    seesHost: false,
    startMs,
    async draw(_random, target): Promise<Definition> {
      return {
        runtime: RuntimeKind.DOCKER,
        artifact: { source: { case: 'image', value: testImage } },
        args: ['-c', script, 'attack', ...(await args(target))],
        container: { command: ['/bin/sh'] },
        limits: { memory: 64n * mebibyte, processes: 40, maxOutputBytes: 4n * mebibyte },
      };
    },
  };
}

const kinds: readonly AttackKind[] = [
  container('fork bomb', 'bomb() { while :; do sleep "$1" & done; }; bomb "$1" & bomb "$1"', ({ mark }) => [
    mark,
  ]),
  container('memory', 'tail /dev/zero & tail /dev/zero & wait; sleep 60'),
  container(
    'full disk',
    'for path in / /tmp /dev/shm /etc /bin; do dd if=/dev/zero of="$path/left" bs=1M count=300; done; i=0; while :; do : >"/tmp/$i"; i=$((i + 1)); done',
  ),
  container('flood', 'yes "$1" & yes >&2 & cat /dev/zero', ({ mark }) => [mark]),
  container(
    'sockets',
    'i=0; while [ $i -lt 15 ]; do i=$((i + 1)); nc -l -p "$((2000 + i))" -e sleep 60 & nc 127.0.0.1 "$((2000 + i))" </dev/zero & done; sleep 60',
  ),
  container(
    'signals',
    'trap "" TERM HUP INT; for pid in "$@" 1; do for signal in STOP KILL TERM USR1; do kill -$signal "$pid"; done; done 2>/dev/null; kill -STOP -1; sleep 60',
    ({ processes }) => processes(),
  ),
  container(
    'snooping',
    'cat "$1" "$2"/* /data/out-file /data/out/* /data/absolute /proc/*/environ /proc/*/root/"$1" /data/disk 2>/dev/null; echo x >"$1"; echo b >/proc/sysrq-trigger; mount -t tmpfs none /data; mount -o remount,rw /; echo x >/data/out/planted; exit 3',
    ({ secretFile, dataDir }) => [secretFile, dataDir],
  ),
];

/** None where no engine answers. */
export async function containerAttacks(): Promise<readonly AttackKind[]> {
  const missing = await dockerEngine();
  if (missing !== '') {
    console.log(`hostile: no containers: ${missing}`);
    return [];
  }
  await makeTestImage();
  return kinds;
}

/** Containers that a node has left. */
export async function leftContainers(nodeId: string): Promise<string[]> {
  if ((await dockerEngine()) !== '') return [];
  return (await containersOf(nodeId)).map((id) => `container ${id}`);
}
