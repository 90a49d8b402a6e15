import type { Clock } from '../../../domain/clock.ts';
import type { EngineAddress } from '../../../domain/engine-address.ts';
import { type Client, clientConfig, type Driver, destroy, tlsTries } from './driver.ts';

export interface ListenerOptions {
  readonly address: EngineAddress;
  readonly driver: Driver;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly channel: string;
  /** Hears what others say on the channel, and with undefined that something may have been missed. Must not throw. */
  heard(payload: string | undefined): void;
}

/** A connection that was lost is made again after so many milliseconds, … */
const againMs = 250;
/** … and one that is quiet is asked so often whether it is still there. */
const askMs = 2000;
const connectMs = 5000;

/**
 * Hears what other nodes say, on a connection of its own. Nothing hangs on it but time: what was missed is found by
 * those who look from time to time.
 */
export class Listener {
  readonly #options: ListenerOptions;
  #closed = false;
  #running: Promise<void> | undefined;
  /** The one that is being made, or listens. */
  #client: Client | undefined;
  /** Ends the wait that is under way. */
  #wake: () => void = () => {};

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Resolves when it listens, or has found out that it cannot yet. */
  open(): Promise<void> {
    const tried = Promise.withResolvers<void>();
    this.#running ??= this.#run(tried.resolve);
    return tried.promise;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
    await this.#running;
  }

  /** One connection after the other: nothing of one that was lost is left when the next is made. */
  async #run(tried: () => void): Promise<void> {
    while (!this.#closed) {
      const connection = await this.#listening();
      tried();
      if (connection !== undefined) {
        this.#options.heard(undefined);
        await this.#untilLost(connection);
        destroy(connection.client);
      }
      if (!this.#closed) await this.#wait(againMs);
    }
  }

  /** Undefined where there is none now. */
  async #listening(): Promise<Connection | undefined> {
    const { address, driver, channel, heard } = this.#options;
    for (const host of address.hosts) {
      for (const ssl of tlsTries(address, host)) {
        const client = driver.client(
          clientConfig(address, host, { kind: 'reader', statementMs: askMs, connectMs, ssl }),
        );
        const connection = { client, lost: false };
        const lost = (): void => {
          connection.lost = true;
          if (this.#client === client) this.#wake();
        };
        client.on('error', lost);
        client.on('end', lost);
        client.on('notification', ({ payload }) => heard(payload));
        const listens = async (): Promise<void> => {
          await client.connect();
          const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
          if (rows[0]?.standby !== false) throw new Error('a standby says nothing');
          await client.query(`LISTEN ${channel}`);
        };
        this.#client = client;
        if ((await this.#wait(connectMs, listens())) === 'answered' && !connection.lost) return connection;
        destroy(client);
        if (this.#closed) return undefined;
      }
    }
    return undefined;
  }

  async #untilLost(connection: Connection): Promise<void> {
    while (!connection.lost && !this.#closed) {
      if ((await this.#wait(askMs)) === 'over') return;
      if ((await this.#wait(askMs, connection.client.query('SELECT 1'))) !== 'answered') return;
    }
  }

  /** Until that is answered, so long at most; over where the connection is lost, or the listener closed. */
  #wait(ms: number, answer?: Promise<unknown>): Promise<'answered' | 'late' | 'over'> {
    return new Promise((resolve) => {
      const wake = (): void => done('over');
      const done = (how: 'answered' | 'late' | 'over'): void => {
        timer.cancel();
        if (this.#wake === wake) this.#wake = () => {};
        resolve(how);
      };
      const timer = this.#options.clock.setTimer(ms, () => done('late'));
      this.#wake = wake;
      answer?.then(
        () => done('answered'),
        () => done('over'),
      );
    });
  }
}

interface Connection {
  readonly client: Client;
  lost: boolean;
}
