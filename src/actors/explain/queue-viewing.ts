/** What there is to see of the queue: its lines, with the words for what holds each. */
import type { ExecutionRecord } from '../../domain/execution.ts';
import type { QueueClass, QueueHead, QueueLine, QueueView } from '../../domain/queue-view.ts';
import type { ClassView, LineView } from '../../domain/scheduling/order-view.ts';
import { assertSeesTenant, type Scope, scopeKey } from '../../domain/scope.ts';
import type { Slots } from '../queue/slots.ts';
import type { NodeTime } from '../time/node-time.ts';
import { onWall } from './explaining.ts';
import { type Block, blockWords, shownGate, slotsTaken } from './explanation.ts';
import { gateOpening, gateSentence } from './explanation-gate.ts';

export interface QueueViewingHost {
  readonly slots: Slots;
  readonly time: NodeTime;
  /** Of one that lives or stands in the order of the slots. */
  recordOf(executionId: string): ExecutionRecord | undefined;
  /** Whether one that lives may be named. */
  maySay(scope: Scope, executionId: string): boolean;
  block(): Block | undefined;
  /** Slots in all, where those are not all that there are. */
  total?(): number;
}

const maxLines = 1000;
/** As many as people look at: who wants no more shares an answer with all others who do not. */
const fewLines = 100;
const maxClasses = 10;
/** An answer stays below the 4 MiB that gRPC's clients take, with keys of any length. */
const maxClassesInAll = 2000;
/** Of one gate. */
const maxHolders = 5;
/** Attempts of others are passed over, and not all of very many. */
const maxHoldersLooked = 256;
/** Looking takes longer the more lines there are; it takes this share of the time at most, however many ask. */
const share = 20;
const maxKept = 100;

interface Kept {
  readonly view: QueueView;
  readonly until: number;
}

export class QueueViewing {
  readonly #host: QueueViewingHost;
  readonly #kept = new Map<string, Kept>();

  constructor(host: QueueViewingHost) {
    this.#host = host;
  }

  /** Of at most so many lines, and never more than 1000. Throws permission_denied for a scope of less than a tenant. */
  view(scope: Scope, mostLines = maxLines): QueueView {
    assertSeesTenant(scope, 'the queue');
    const most = mostLines <= fewLines ? fewLines : maxLines;
    return shortened(this.#shared(scope, most), Math.min(mostLines, most));
  }

  #shared(scope: Scope, most: number): QueueView {
    const { time } = this.#host;
    const key = `${most} ${scopeKey(scope)}`;
    const begun = time.monotonic();
    const kept = this.#kept.get(key);
    if (kept !== undefined && begun < kept.until) return kept.view;
    if (this.#kept.size >= maxKept) this.#kept.clear();
    const view = this.#look(scope, most);
    const ended = time.monotonic();
    this.#kept.set(key, { view, until: ended + (ended - begun) * share });
    return view;
  }

  get #total(): number {
    return this.#host.total?.() ?? this.#host.slots.total;
  }

  #look(scope: Scope, most: number): QueueView {
    const { slots, time, block } = this.#host;
    const { tenant } = scope;
    const { lines, ...counts } = slots.view({
      ...{ tenant, lines: most },
      ...{ classes: maxClasses, classesInAll: maxClassesInAll },
    });
    const why = block();
    return {
      ...counts,
      slots: this.#total,
      block: why === undefined ? '' : blockWords[why],
      lines: lines.map((line) => this.#line(line, scope)),
      time: Math.round(time.toWall(time.now())),
    };
  }

  #line({ first, classes, ...line }: LineView, scope: Scope): QueueLine {
    const next = this.#head(first);
    return {
      ...line,
      ...(next !== undefined && { next }),
      classes: classes.map((each) => this.#class(each, scope)),
    };
  }

  #class({ waiting, next: first, heldBy }: ClassView, scope: Scope): QueueClass {
    const { slots, time } = this.#host;
    const next = this.#head(first);
    const head = { waiting, ...(next !== undefined && { next }) };
    if (heldBy === undefined) {
      return {
        ...head,
        heldBy: [],
        summary: slots.running < slots.total ? 'about to start' : slotsTaken(this.#total),
        freedBy:
          'the first of them goes on when a slot comes free and their line has had least for its weight',
      };
    }
    const held = slots.heldKey(heldBy);
    const isOne = waiting === 1;
    return {
      ...head,
      heldBy: this.#holders(held.holders, scope),
      gate: onWall(shownGate(held, time.now()), time),
      summary: gateSentence(held),
      freedBy: gateOpening(held, isOne ? 1 : 2),
    };
  }

  #holders(holders: Iterable<string>, scope: Scope): string[] {
    const named: string[] = [];
    let looked = 0;
    for (const id of holders) {
      if (this.#host.maySay(scope, id)) named.push(id);
      looked += 1;
      if (named.length >= maxHolders || looked >= maxHoldersLooked) break;
    }
    return named;
  }

  #head(executionId: string | undefined): QueueHead | undefined {
    if (executionId === undefined) return undefined;
    const record = this.#host.recordOf(executionId);
    if (record === undefined || record.attempt > 0) return { executionId };
    const { createdAt, deadlines } = record;
    const startAt =
      deadlines.startAt === undefined ? 0 : Math.round(this.#host.time.toWall(deadlines.startAt));
    return { executionId, since: Math.max(createdAt, startAt) };
  }
}

function shortened(view: QueueView, most: number): QueueView {
  if (view.lines.length <= most) return view;
  const left = view.lines.slice(most);
  return {
    ...view,
    lines: view.lines.slice(0, most),
    otherLines: view.otherLines + left.length,
    otherWaiting: left.reduce((sum, { waiting }) => sum + waiting, view.otherWaiting),
  };
}
