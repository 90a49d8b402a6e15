import type { Row, Session, Statement } from './session.ts';

/** Sessions that read. A statement goes to the one that has the fewest under way. */
export class Readers {
  readonly #sessions: { readonly session: Session; waiting: number }[];
  #closed = false;

  constructor(sessions: readonly Session[]) {
    this.#sessions = sessions.map((session) => ({ session, waiting: 0 }));
  }

  /** Rejects with StoreError. */
  async read(what: string, text: string, values: readonly unknown[] = [], name?: string): Promise<Row[]> {
    const statement: Statement = { text, values, ...(name !== undefined && { name }) };
    const least = this.#sessions.reduce((one, other) => (other.waiting < one.waiting ? other : one));
    least.waiting += 1;
    try {
      return await least.session.read(what, statement);
    } finally {
      least.waiting -= 1;
    }
  }

  get closed(): boolean {
    return this.#closed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#sessions.map(({ session }) => session.close()));
  }
}
