/** Reads the list from the node, page after page, newest first. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { nodeNow } from '../clock.ts';
import { type Call, CallFault, faultText } from '../feed/call.ts';
import { rowOf } from '../model/execution-row.ts';
import type { ListExecutionsResponseJson } from '../wire.ts';
import { type RowFilter, type RowTest, requestOf, testOf } from './row-filter.ts';
import type { Answer, RowStore } from './row-store.ts';

export interface PagesState {
  readonly loading: boolean;
  /** There are no older ones. */
  readonly done: boolean;
  /** Why the last page could not be read; empty where it could. */
  readonly fault: string;
  /** There is no task of the name that the filter has. */
  readonly noTask: boolean;
  /** How many the node has listed for this filter. */
  readonly listed: number;
}

interface Options {
  readonly call: Call;
  readonly rows: RowStore;
  /** A page is in: the id below which nothing is known; empty once everything is. */
  readonly reached: (frontier: string) => void;
}

const firstPage = 100;
const laterPage = 500;
const start: PagesState = { loading: false, done: false, fault: '', noTask: false, listed: 0 };

export class Pages {
  readonly #call: Call;
  readonly #rows: RowStore;
  readonly #reached: Options['reached'];
  readonly #state = signal<PagesState>(start);
  #request: Readonly<Record<string, unknown>> = {};
  #token = '';
  /** The rows that the node would list, down to where it has listed; nothing where only the node knows. */
  #lists: RowTest | undefined;
  #frontier = '~';
  #running: AbortController | undefined;
  readonly state: ReadonlySignal<PagesState> = this.#state;

  constructor({ call, rows, reached }: Options) {
    this.#call = call;
    this.#rows = rows;
    this.#reached = reached;
  }

  /** Begins anew, with the newest. */
  async open(filter: RowFilter): Promise<void> {
    this.#running?.abort();
    this.#running = undefined;
    const now = nodeNow();
    this.#request = requestOf(filter, now);
    const { status, rest } = testOf({ ...filter, text: '', code: '' }, now);
    // A name is that of the task that has it now, and rows may be of one that had it before.
    this.#lists = filter.task === '' ? (row) => status(row) && rest(row) : undefined;
    this.#frontier = '~';
    this.#token = '';
    this.#state.value = start;
    await this.more();
  }

  /** Reads the next page, unless one is being read or there is none. */
  async more(): Promise<void> {
    if (this.#running !== undefined || this.#state.peek().done) return;
    const running = new AbortController();
    this.#running = running;
    this.#state.value = { ...this.#state.peek(), loading: true, fault: '', noTask: false };
    using answer = this.#rows.ask();
    try {
      const pageSize = this.#token === '' ? firstPage : laterPage;
      const request = { ...this.#request, pageSize, pageToken: this.#token };
      const page = await this.#call<ListExecutionsResponseJson>('FunctionService/ListExecutions', request, {
        signal: running.signal,
      });
      if (running.signal.aborted) return;
      this.#take(page, answer);
    } catch (error) {
      if (running.signal.aborted) return;
      const noTask = error instanceof CallFault && error.reason === 'TASK_NOT_FOUND';
      this.#state.value = { ...this.#state.peek(), loading: false, fault: faultText(error), noTask };
    } finally {
      if (this.#running === running) this.#running = undefined;
    }
  }

  #take(page: ListExecutionsResponseJson, answer: Answer): void {
    const rows = page.executions.map(rowOf);
    const done = page.nextPageToken === '';
    const frontier = done ? '' : (rows.at(-1)?.id ?? '');
    const above = this.#frontier;
    const lists = this.#lists;
    this.#token = page.nextPageToken;
    this.#frontier = frontier;
    answer.take(rows, lists && ((row) => row.id < above && row.id >= frontier && lists(row)));
    this.#reached(frontier);
    const listed = this.#state.peek().listed + rows.length;
    this.#state.value = { loading: false, done, fault: '', noTask: false, listed };
  }
}
