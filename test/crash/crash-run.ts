/** Kills a server again and again under load, and writes down what its clients were told. */
import type { Peer } from '../support/server.ts';
import { type AttackName, attack, drawAttacks } from './attacks.ts';
import { BatchClient } from './batch-client.ts';
import { BatchLoad } from './batch-load.ts';
import { Client } from './client.ts';
import { letEnd, readBatches, readFinals, readSchedules, stopSchedules } from './ending.ts';
import type { History, Phase, Remains } from './history.ts';
import { Hooks } from './hooks.ts';
import { type Drawn, type Kind, withTimes } from './kinds.ts';
import { Load } from './load.ts';
import { Random } from './random.ts';
import { ScheduleClient } from './schedule-client.ts';
import { ScheduleLoad } from './schedule-load.ts';
import { Scribe } from './scribe.ts';
import { ServerRun } from './server-run.ts';
import { CrashSite } from './site.ts';
import { add, ticker, wasmKinds } from './wasm-kinds.ts';
import { dockerKinds, processKinds } from './worker-kinds.ts';

export interface CrashOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly docker: boolean;
  readonly root: boolean;
  readonly compiler: boolean;
}

/** The part of all rounds in which the disk is slow. */
const slowRounds = 0.3;
const noDocker = 'unix:///nonexistent/docker.sock';
const dockerHost = 'unix:///var/run/docker.sock';

export class CrashRun {
  readonly #options: CrashOptions;
  readonly #site: CrashSite;
  readonly #hooks: Hooks;
  readonly #kinds: readonly Kind[];
  readonly #scribe = new Scribe();
  readonly #load: Load;
  readonly #batches: BatchLoad;
  readonly #schedules: ScheduleLoad;
  #server: ServerRun | undefined;

  private constructor(options: CrashOptions, site: CrashSite, hooks: Hooks) {
    this.#options = options;
    this.#site = site;
    this.#hooks = hooks;
    const told = hooks.kind();
    this.#kinds = [told, ...wasmKinds, ...processKinds, ...(options.docker ? dockerKinds : [])];
    const any = (random: Random, number: number) => this.#draw(this.#kinds, random, number);
    const quick = (random: Random, number: number) => this.#draw([add], random, number);
    this.#load = new Load(this.#scribe, any);
    this.#batches = new BatchLoad(this.#scribe, { any, quick });
    this.#schedules = new ScheduleLoad(this.#scribe, [ticker, told]);
  }

  /** All rounds, then one run in which everything comes to its end. Removes all that it made. */
  static async history(options: CrashOptions): Promise<History> {
    const site = await CrashSite.make({ mount: options.root, compile: options.compiler });
    const hooks = await Hooks.open(site.folder, new Random(options.seed));
    const run = new CrashRun(options, site, hooks);
    try {
      await run.#rounds();
      return await run.#end();
    } finally {
      await run.#server?.end();
      await hooks.close();
      await site.remove(options.docker);
    }
  }

  async #rounds(): Promise<void> {
    const random = new Random(this.#options.seed);
    const { rounds, docker } = this.#options;
    const without: AttackName[] = [];
    if (!docker) without.push('container');
    if (this.#site.disk === undefined) without.push('full');
    const attacks = drawAttacks(random.fork(), rounds, without);
    for (const [index, name] of attacks.entries()) await this.#round(name, random.fork(), index === 0);
  }

  async #round(name: AttackName, random: Random, first: boolean): Promise<void> {
    const { dataDir, disk, sync } = this.#site;
    sync?.set(random.fork().chance(slowRounds));
    const server = this.#start();
    let faultAt: number | undefined;
    if (first) await this.#register(server);
    const chosen = random.fork();
    const more = random.fork();
    const together = random.fork();
    const byClock = random.fork();
    const redriving = random.fork();
    const client = (peer: Peer) => new Client(peer.functions, this.#scribe);
    await attack(
      name,
      {
        server,
        dataDir,
        disk,
        load: async (peer, over) => {
          await Promise.all([
            this.#load.run(client(peer), chosen, over),
            this.#batches.run(new BatchClient(peer, this.#scribe), together, over),
            this.#schedules.run(new ScheduleClient(peer, this.#scribe), byClock, over),
            this.#hooks.redrive(peer, this.#scribe, redriving, over),
          ]);
        },
        container: this.#options.docker
          ? (peer) =>
              this.#load.watched(client(peer), more, (own, number) => this.#draw(dockerKinds, own, number))
          : undefined,
        fault() {
          faultAt = Date.now();
        },
      },
      random,
    );
    await this.#over(server, name, faultAt);
  }

  async #end(): Promise<History> {
    this.#site.sync?.set(false);
    const server = this.#start();
    const peer = await this.#ready(server);
    await stopSchedules(peer);
    await letEnd(peer);
    const finals = await readFinals(peer);
    const deliveries = await this.#hooks.settled(peer);
    const batches = await readBatches(peer);
    const schedules = await readSchedules(peer);
    const running = await this.#site.running(this.#options.docker);
    server.stop();
    await this.#over(server, 'last');
    peer.connection.close();
    const left = await this.#site.left(this.#options.docker);
    const remains: Remains[] = [
      { when: 'when all had ended', what: running },
      { when: 'when the server was gone', what: left },
    ];
    const { tellings, faults: unsigned } = this.#hooks;
    const marks = await this.#site.readMarks();
    return this.#scribe.history({
      finals,
      batches,
      schedules,
      remains,
      marks,
      tellings,
      unsigned,
      deliveries,
    });
  }

  #draw(kinds: readonly Kind[], random: Random, number: number): Drawn {
    const kind = random.weighted(kinds.map((each) => [each.weight, each] as const));
    const drawn = kind.draw(random, this.#site.marksOf(number));
    return this.#hooks.draw(random.fork(), withTimes(random, drawn));
  }

  #start(): ServerRun {
    const { docker, root } = this.#options;
    const flags = [
      '--slots=8',
      // Nearly all that waits does so in the store.
      '--queue-in-memory=1',
      '--drain-ms=150',
      ...this.#hooks.flags,
      `--docker-host=${docker ? dockerHost : noDocker}`,
      ...(root ? ['--allow-host-access'] : []),
    ];
    const server = new ServerRun(this.#site.dataDir, flags, this.#site.sync?.env);
    this.#server = server;
    return server;
  }

  async #register(server: ServerRun): Promise<void> {
    const peer = await this.#ready(server);
    const { program, marks } = this.#site;
    await Promise.all(this.#kinds.map((kind) => kind.register({ peer, program, marks })));
  }

  async #ready(server: ServerRun): Promise<Peer> {
    const peer = await server.ready;
    if (peer === undefined) throw new Error(`the server did not start: ${await server.exited}`);
    return peer;
  }

  async #over(server: ServerRun, phase: Phase, faultAt?: number): Promise<void> {
    const exit = await server.exited;
    const { bugs, readyAt, endedAt, killed } = server;
    this.#scribe.runs.push({
      phase,
      exit,
      killed,
      bugs,
      endedAt,
      ...(readyAt !== undefined && { readyAt }),
      ...(faultAt !== undefined && { faultAt }),
    });
  }
}
