/** How a run of the server is brought to its end: at a random moment of something. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Peer } from '../support/server.ts';
import { type Disk, lockDatabase } from './disk.ts';
import type { Phase } from './history.ts';
import type { Random } from './random.ts';
import type { ServerRun } from './server-run.ts';

export type AttackName = Exclude<Phase, 'last'>;

export interface Round {
  readonly server: ServerRun;
  readonly dataDir: string;
  /** Absent where none could be mounted. */
  readonly disk: Disk | undefined;
  /** Puts load on the server until `over`; resolves when every call has its answer or was cut off. */
  readonly load: (peer: Peer, over: AbortSignal) => Promise<void>;
  /** Runs one container more; absent where there is no engine. `wrote` resolves when output of it was heard. */
  readonly container: ((peer: Peer) => { wrote: Promise<void>; ended: Promise<void> }) | undefined;
  /** Commits may fail from now on, until the server ends. */
  readonly fault: () => void;
}

type Attack = (round: Round, random: Random) => Promise<void>;

const quarter = 250;
const pageBytes = 4096;

async function underLoad({ server, load }: Round, attack: (peer: Peer) => Promise<void>): Promise<void> {
  const peer = await server.ready;
  if (peer === undefined) return;
  const over = new AbortController();
  const loading = load(peer, over.signal);
  await attack(peer);
  await server.exited;
  over.abort();
  await loading;
  peer.connection.close();
}

const attacks: Readonly<Record<AttackName, Attack>> = {
  load: (round, random) =>
    underLoad(round, async () => {
      // Long enough, at times, for a container to have had its input.
      await pause(random.chance(0.7) ? random.whole(0, quarter) : random.whole(quarter, 3 * quarter));
      round.server.kill();
    }),

  /** When a container has had its input and writes, so that it must be followed. */
  async container(round, random) {
    let ended: Promise<void> | undefined;
    await underLoad(round, async (peer) => {
      const run = round.container?.(peer);
      ended = run?.ended;
      await run?.wrote;
      await pause(random.whole(0, quarter));
      round.server.kill();
    });
    await ended;
  },

  /** While it takes up what the one before left, or before it has begun to. */
  async recovery({ server }, random) {
    await pause(random.whole(0, 2 * quarter));
    server.kill();
    await server.exited;
    (await server.ready)?.connection.close();
  },

  drain: (round, random) =>
    underLoad(round, async () => {
      await pause(random.whole(0, quarter));
      round.server.stop();
      await pause(random.whole(0, quarter));
      round.server.kill();
    }),

  stop: (round, random) =>
    underLoad(round, async () => {
      await pause(random.whole(0, quarter));
      round.server.stop();
      if (!random.chance(0.5)) return;
      await pause(random.whole(0, quarter));
      round.server.stop();
    }),

  full: (round, random) =>
    underLoad(round, async () => {
      await pause(random.whole(0, quarter / 2));
      round.fault();
      await round.disk?.fill(random.whole(0, 20) * pageBytes);
      await pause(random.whole(0, quarter));
      const killedWhileFull = random.chance(0.5);
      if (killedWhileFull) {
        round.server.kill();
        await round.server.exited;
      }
      await round.disk?.empty();
      await pause(killedWhileFull ? 0 : random.whole(0, quarter));
      round.server.kill();
    }),

  locked: (round, random) =>
    underLoad(round, async () => {
      await pause(random.whole(0, quarter / 2));
      round.fault();
      const unlock = lockDatabase(round.dataDir);
      // Now and then for longer than the store waits.
      await pause(random.chance(0.2) ? 1100 : random.whole(0, quarter));
      const killedWhileLocked = random.chance(0.5);
      if (killedWhileLocked) {
        round.server.kill();
        await round.server.exited;
      }
      unlock?.();
      await pause(killedWhileLocked ? 0 : random.whole(0, quarter));
      round.server.kill();
    }),
};

const weights: Readonly<Record<AttackName, number>> = {
  load: 6,
  container: 1,
  recovery: 3,
  drain: 2,
  stop: 1,
  full: 1,
  locked: 1,
};

/** Which attack each round makes: in the first rounds one of each kind, and the first under load. */
export function drawAttacks(random: Random, rounds: number, without: readonly AttackName[]): AttackName[] {
  const all = (Object.keys(attacks) as AttackName[]).filter((name) => !without.includes(name));
  const first: AttackName[] = ['load', ...random.shuffled(all)];
  const weighted = all.map((name) => [weights[name], name] as const);
  return Array.from({ length: rounds }, (_, round) => first[round] ?? random.weighted(weighted));
}

export async function attack(name: AttackName, round: Round, random: Random): Promise<void> {
  await attacks[name](round, random);
}
