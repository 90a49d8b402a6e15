import type { Clock, Timer } from '../../../domain/clock.ts';
import type { EngineAddress } from '../../../domain/engine-address.ts';
import { type Client, clientConfig, type Driver, tlsTries } from './driver.ts';

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
  #client: Client | undefined;
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Resolves when it listens, or has found out that it cannot yet. */
  async open(): Promise<void> {
    if (this.#closed) return;
    const { channel, heard } = this.#options;
    try {
      const client = await this.#connect();
      client.on('notification', ({ payload }) => heard(payload));
      client.on('error', () => this.#lost(client));
      client.on('end', () => this.#lost(client));
      await client.query(`LISTEN ${channel}`);
      this.#client = client;
      this.#ask(client);
      heard(undefined);
    } catch {
      this.#later();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#client?.end().catch(() => {});
  }

  async #connect(): Promise<Client> {
    const { address, driver } = this.#options;
    let wrong: unknown = new Error('no host');
    for (const host of address.hosts) {
      for (const ssl of tlsTries(address, host)) {
        const client = driver.client(
          clientConfig(address, host, { kind: 'reader', statementMs: askMs, connectMs, ssl }),
        );
        // Without a listener it would throw into the process.
        client.on('error', () => {});
        try {
          await client.connect();
          const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby');
          if (rows[0]?.standby === false) return client;
          await client.end();
        } catch (error) {
          wrong = error;
        }
      }
    }
    throw wrong;
  }

  #ask(client: Client): void {
    this.#timer = this.#options.clock.setTimer(askMs, () => {
      if (this.#closed || this.#client !== client) return;
      let answered = false;
      this.#timer = this.#options.clock.setTimer(askMs, () => {
        if (!answered) this.#lost(client);
      });
      client.query('SELECT 1').then(
        () => {
          answered = true;
          this.#timer?.cancel();
          this.#ask(client);
        },
        () => this.#lost(client),
      );
    });
  }

  #lost(client: Client): void {
    if (this.#closed || this.#client !== client) return;
    this.#client = undefined;
    this.#timer?.cancel();
    void client.end().catch(() => {});
    this.#later();
  }

  #later(): void {
    if (this.#closed) return;
    this.#timer = this.#options.clock.setTimer(againMs, () => void this.open());
  }
}
