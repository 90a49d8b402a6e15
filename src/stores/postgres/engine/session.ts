import type { Clock, Timer } from '../../../domain/clock.ts';
import type { EngineAddress } from '../../../domain/engine-address.ts';
import { StoreError } from '../../store.ts';
import { type Client, clientConfig, type Driver, destroy, type SessionKind, tlsTries } from './driver.ts';
import { isRefusal, sqlStateOf, storeFailure } from './failure.ts';
import { assertEngine } from './refusals.ts';

export interface Statement {
  readonly text: string;
  readonly values?: readonly unknown[];
  /** It is prepared under this name, once in each connection. */
  readonly name?: string;
}

export type Row = Readonly<Record<string, unknown>>;

export interface SessionOptions {
  readonly address: EngineAddress;
  readonly driver: Driver;
  readonly kind: SessionKind;
  readonly clock: Pick<Clock, 'setTimer'>;
  /** How long a statement may take, in milliseconds. */
  readonly statementMs?: number;
  /** How long after that the silence of the engine means that the connection is dead, in milliseconds. */
  readonly silenceMs?: number;
  /** How long a connection may take to be made, in milliseconds. */
  readonly connectMs?: number;
}

const defaultStatementMs = 30_000;
const defaultSilenceMs = 2000;
const defaultConnectMs = 5000;

/**
 * One connection to the primary among the hosts, made when it is needed and again after it was lost. Statements run one
 * after the other.
 *
 * A statement that takes too long is ended by the engine. Where not even that is heard, the socket is destroyed: the
 * driver itself would wait for ever, also with whatever comes next on that connection.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #statementMs: number;
  readonly #longestMs: number;
  #client: Promise<Client> | undefined;
  /** When the last statement is over. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#statementMs = options.statementMs ?? defaultStatementMs;
    this.#longestMs = this.#statementMs + (options.silenceMs ?? defaultSilenceMs);
  }

  /** Rejects with what the driver or the engine says. */
  run(statement: Statement): Promise<Row[]> {
    // The driver's own queue is about to go.
    const answer = this.#turn.then(() => this.#run(statement));
    this.#turn = answer.catch(() => {});
    return answer;
  }

  async #run(statement: Statement): Promise<Row[]> {
    if (this.#closed) throw new StoreError('the store is closed');
    this.#client ??= this.#connect();
    const connecting = this.#client;
    let client: Client;
    try {
      client = await connecting;
    } catch (error) {
      if (this.#client === connecting) this.#client = undefined;
      throw new NotSent(error);
    }
    return this.#within(client, connecting, statement);
  }

  /** As `run` for a statement that may run twice: once more where the connection was lost. Rejects with StoreError. */
  async read(what: string, statement: Statement): Promise<Row[]> {
    try {
      return await this.run(statement).catch((error: unknown) => {
        if (this.#closed || isRefusal(error) || error instanceof NotSent) throw error;
        return this.run(statement);
      });
    } catch (error) {
      throw storeFailure(what, error instanceof NotSent ? error.cause : error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    await client?.end().catch(() => {});
  }

  async #within(client: Client, connecting: Promise<Client>, statement: Statement): Promise<Row[]> {
    const { text, values, name } = statement;
    try {
      const answer = client.query<Row>({
        text,
        ...(name !== undefined && { name }),
        ...(values !== undefined && { values: [...values] }),
      });
      return (await this.#unlessSilent(client, this.#longestMs, answer)).rows;
    } catch (error) {
      if (!isRefusal(error) && this.#client === connecting) {
        this.#client = undefined;
        destroy(client);
      }
      throw error;
    }
  }

  /** Destroys the connection, and rejects, where nothing is heard on it for so long. */
  async #unlessSilent<Answer>(client: Client, ms: number, answer: Promise<Answer>): Promise<Answer> {
    let timer: Timer | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = this.#options.clock.setTimer(ms, () => {
        destroy(client);
        reject(new Error(`the engine has not answered for ${ms} ms`));
      });
    });
    try {
      return await Promise.race([answer, silence]);
    } finally {
      timer?.cancel();
    }
  }

  async #connect(): Promise<Client> {
    const { address, kind, connectMs = defaultConnectMs } = this.#options;
    const wrong: unknown[] = [];
    for (const host of address.hosts) {
      for (const ssl of tlsTries(address, host)) {
        const config = clientConfig(address, host, { kind, statementMs: this.#statementMs, connectMs, ssl });
        const client = this.#options.driver.client(config);
        const connecting = client;
        client.on('error', () => {
          // Whoever waits for an answer hears of it there; nobody does in between.
          void this.#forget(connecting);
        });
        try {
          await client.connect();
          await this.#unlessSilent(client, connectMs, assertEngine(client, host));
          return client;
        } catch (error) {
          destroy(client);
          wrong.push(error);
          const hasNoTls = error instanceof Error && /does not support SSL/.test(error.message);
          if (!hasNoTls) break;
        }
      }
    }
    const told = wrong.find((error) => sqlStateOf(error) !== undefined || error instanceof StoreError);
    throw told ?? wrong[0] ?? new Error('no host');
  }

  async #forget(client: Client): Promise<void> {
    const connecting = this.#client;
    const current = await connecting?.catch(() => undefined);
    if (current === client && this.#client === connecting) this.#client = undefined;
  }
}

/** The statement never left: there was no connection. */
export class NotSent extends Error {
  constructor(cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
