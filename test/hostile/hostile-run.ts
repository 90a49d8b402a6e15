/** A node with innocent calls all the time, and attackers beside them every other slice of it. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ExecutionStatus } from '../../src/server/gen/spearlet/function_pb.js';
import { Random } from '../crash/random.ts';
import { processesOf, spawnMeasured, usageOf } from '../server/measured.ts';
import { dockerSocket } from '../support/docker-image.ts';
import type { ChildServer } from '../support/server.ts';
import type { Target } from './attack.ts';
import { AttackLane } from './attack-lane.ts';
import { containerAttacks, leftContainers } from './container-attacks.ts';
import type { History, NodeUse } from './history.ts';
import { InnocentCaller } from './innocent-caller.ts';
import { innocents } from './innocents.ts';
import { moreDescriptors } from './oracle.ts';
import { processAttacks } from './process-attacks.ts';
import { HostileSite } from './site.ts';
import { wasmAttacks } from './wasm-attacks.ts';

/** Attackers and innocents never wait for each other's slots. */
const slots = 16;
const longestSliceMs = 5000;
const fewestSlices = 8;
const settleMs = 500;
const sampleMs = 200;
const settleTimeoutMs = 30_000;
/** Of what the server said, where it has gone. */
const lastLines = 20;
/** Kept of what has ended: what attackers print is not to fill the disk. */
const retainBytes = 256 * 1024 * 1024;
/** What a process may write to its folder: less than what is tried. */
const scratchBytes = 64 * 1024 * 1024;
/** In seconds, as `sleep` takes it; no other program of the machine is told the same. */
const markBase = 900_000_000;

export async function hostileRun({ seed, seconds }: { seed: number; seconds: number }): Promise<History> {
  const site = await HostileSite.make();
  try {
    const server = await spawnMeasured(site.dataDir, {
      slots: String(slots),
      allowHostAccess: true,
      retainBytes: String(retainBytes),
      maxScratchBytes: String(scratchBytes),
      dockerHost: `unix://${dockerSocket}`,
    });
    try {
      return await attack(server, site, new Random(seed), seconds * 1000);
    } catch (error) {
      const { exitCode, signalCode } = server.process;
      const last = server.output.slice(-lastLines).join('\n');
      throw new Error(`the run broke off; its server: exit ${exitCode}, signal ${signalCode}\n${last}`, {
        cause: error,
      });
    } finally {
      await server.end('SIGKILL');
    }
  } finally {
    await site.remove();
  }
}

async function attack(server: ChildServer, site: HostileSite, random: Random, ms: number): Promise<History> {
  const mark = String(markBase + (process.pid % 1_000_000));
  const target: Target = {
    dataDir: site.dataDir,
    nodeName: await site.nodeName(),
    secretFile: site.secretFile,
    grpcAddress: server.grpcAddress,
    httpAddress: server.httpAddress,
    processes: async () => [String(server.process.pid), ...(await processesOf(server)).keys()],
    mark,
  };
  await Promise.all(innocents.map(({ register }) => register(server, site.secret)));
  const load = new InnocentCaller(server.grpcAddress, random.whole(0, 2 ** 32 - 1));
  const others = [...processAttacks, ...(await containerAttacks())];
  const lanes = [wasmAttacks, [...wasmAttacks, ...others]].map(
    (kinds, lane) => new AttackLane({ lane, kinds, peer: server, site, target, random: random.fork() }),
  );
  await load.burst(slots);
  const before = await useNow(server);
  const most = watchUse(server);
  const slices = Math.max(fewestSlices, 2 * Math.ceil(ms / longestSliceMs / 2));
  for (let slice = 0; slice < slices; slice += 1) {
    const calm = slice % 2 === 0;
    await load.setPhase(calm ? 'calm' : 'attack');
    if (calm) await sleep(ms / slices);
    else await Promise.all(lanes.map((lane) => lane.attackUntil(AbortSignal.timeout(ms / slices))));
    await load.setPhase('between');
    await sleep(settleMs);
  }
  await load.burst(slots);
  const calls = await load.stop();
  const unfinished = await stillRunning(server);
  const touched = await site.touched();
  const after = await useOnceBack(server, before.descriptors + moreDescriptors);
  const use = { before, most: most.stop(), after };
  const exit = await server.end('SIGTERM');
  return {
    calls,
    attacks: lanes.flatMap(({ attacks }) => attacks),
    use,
    touched,
    unfinished,
    remains: [...(await site.left(mark)), ...(await leftContainers(await site.nodeId()))],
    bugs: server.output.filter((line) => line.includes('"msg":"bug:')),
    exit,
  };
}

async function stillRunning(server: ChildServer): Promise<string[]> {
  const statuses = [ExecutionStatus.PENDING, ExecutionStatus.RUNNING];
  const { executions } = await server.functions.listExecutions({ statuses, pageSize: 1000 });
  return executions.map(({ executionId, taskName, state }) => `${executionId} of ${taskName} is ${state}`);
}

async function useNow(server: ChildServer): Promise<NodeUse> {
  const { heapUsed, arrayBuffers } = await usageOf(server);
  return { ...look(server), heapBytes: heapUsed + arrayBuffers };
}

/** When no more descriptors are open than that, or when it has had its time: guest hosts with folders end when idle. */
async function useOnceBack(server: ChildServer, descriptors: number): Promise<NodeUse> {
  const settleTimeout = AbortSignal.timeout(settleTimeoutMs);
  for (;;) {
    const use = await useNow(server);
    if (use.descriptors <= descriptors || settleTimeout.aborted) return use;
    await sleep(sampleMs);
  }
}

function watchUse(server: ChildServer): { stop(): Looked } {
  const most = { residentBytes: 0, descriptors: 0 };
  const sample = () => {
    if (server.process.exitCode !== null || server.process.signalCode !== null) return;
    const now = look(server);
    most.residentBytes = Math.max(most.residentBytes, now.residentBytes);
    most.descriptors = Math.max(most.descriptors, now.descriptors);
  };
  const timer = setInterval(sample, sampleMs);
  return {
    stop() {
      clearInterval(timer);
      return most;
    },
  };
}

type Looked = Omit<NodeUse, 'heapBytes'>;

function look(server: ChildServer): Looked {
  const folder = `/proc/${server.process.pid}`;
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`${folder}/status`, 'latin1'))?.[1];
  return { residentBytes: Number(kibibytes) * 1024, descriptors: descriptorsOf(`${folder}/fd`) };
}

function descriptorsOf(folder: string): number {
  const open = readdirSync(folder).filter((name) => {
    try {
      return !readlinkSync(`${folder}/${name}`).startsWith('/sys/fs/cgroup/');
    } catch {
      // Closed in the meantime.
      return false;
    }
  });
  return open.length;
}
