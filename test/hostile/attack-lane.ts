/** Attacks one after the other, each a task of its own. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Random } from '../crash/random.ts';
import { type Refusal, readRefusal } from '../server/refusal.ts';
import type { Peer } from '../support/server.ts';
import type { AttackKind, Target } from './attack.ts';
import type { Attack, AttackEnd } from './history.ts';
import type { HostileSite } from './site.ts';

const grace = durationFromMs(200);
const passwords = 'root:x:0:0';

interface LaneParts {
  readonly lane: number;
  readonly kinds: readonly AttackKind[];
  readonly peer: Peer;
  readonly site: HostileSite;
  readonly target: Target;
  readonly random: Random;
}

export class AttackLane {
  readonly attacks: Attack[] = [];
  readonly #parts: LaneParts;
  #current: string | undefined;

  constructor(parts: LaneParts) {
    this.#parts = parts;
  }

  /** Attacks until the signal; what runs then is cancelled, and over when this resolves. */
  async attackUntil(signal: AbortSignal): Promise<void> {
    const cancel = () => {
      const task = this.#current;
      // It may be gone already, or not be there yet: then its timeout ends it.
      if (task !== undefined) this.#remove(task).catch(() => {});
    };
    signal.addEventListener('abort', cancel);
    while (!signal.aborted) await this.#attack(this.#parts.random.fork());
    signal.removeEventListener('abort', cancel);
  }

  async #attack(random: Random): Promise<void> {
    const { lane, kinds, peer, site, target } = this.#parts;
    const kind = random.weighted(kinds.map((each) => [each.weight, each] as const));
    const number = `${lane}.${this.attacks.length}`;
    const task = `attack-${number}`;
    const total = durationFromMs(random.whole(200, 1500) + (kind.startMs ?? 0));
    const atOnce = random.whole(1, 2);
    const refusals: Refusal[] = [];
    const ends: AttackEnd[] = [];
    const leaks: string[] = [];
    const secrets = [site.secret, ...(kind.seesHost ? [] : [passwords])];
    const look = (what: string, bytes: Uint8Array) => {
      for (const secret of secrets)
        if (Buffer.from(bytes).includes(secret)) leaks.push(`${what} has ${secret}`);
    };
    const refused = (error: unknown) => void refusals.push(readRefusal(error));
    await site.stock(lane);
    const definition = { ...(await kind.draw(random, target)), name: task, grace };
    const preopens = kind.seesHost ? {} : { '/data': site.preopen(lane) };
    await peer.tasks.registerTask({ definition: { ...definition, preopens } }).then(async () => {
      this.#current = task;
      const attempts = Array.from({ length: atOnce }, async () => {
        const { result } = await peer.functions.invokeFunction({
          task,
          timeouts: { total },
          waitBudget: durationFromMs(60_000),
        });
        if (result === undefined) throw new Error(`no result of ${kind.name} ${number}`);
        const { status, errorCode, errorOrigin, errorMessage, output, errorOutput, exitCode } = result;
        ends.push({
          status,
          code: errorCode,
          origin: errorOrigin,
          message: `${errorMessage}${exitCode === undefined ? '' : ` (exit code ${exitCode})`}`,
        });
        look('its output', output);
        look('its error output', errorOutput);
        look('its message', Buffer.from(errorMessage));
      });
      await Promise.all(attempts.map((attempt) => attempt.catch(refused)));
      this.#current = undefined;
      await this.#remove(task).catch(refused);
    }, refused);
    for (const { message } of refusals) look('a refusal', Buffer.from(message));
    this.attacks.push({ name: kind.name, number, random: kind.random, refusals, ends, leaks });
  }

  async #remove(task: string): Promise<void> {
    await this.#parts.peer.tasks.deleteTask({ task, cancelExecutions: true });
  }
}
