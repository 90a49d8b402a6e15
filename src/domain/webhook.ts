/**
 * Webhooks: who is told of the end of an execution. A delivery is a row beside the executions, which is written in the
 * commit of the end and is tried until its receiver has taken it.
 *
 * Signatures and headers: Standard Webhooks (standardwebhooks.com). The body: CloudEvents 1.0 as JSON.
 */
import { invalidArgument } from './errors.ts';
import { type ExecutionRecord, type ExecutionStatus, isTerminal } from './execution.ts';
import { parseAddress } from './network/address.ts';
import { tenantOf } from './scope.ts';
import type { SideRow } from './side-row.ts';

export type EndStatus = Exclude<ExecutionStatus, 'pending' | 'running'>;

export const endStatuses = [
  'completed',
  'failed',
  'cancelled',
  'timedOut',
] as const satisfies readonly EndStatus[];

export interface EndWebhook {
  readonly url: string;
  /** Absent means all. */
  readonly statuses?: readonly EndStatus[];
  /** The key of the secret that signs; absent means `defaultSecret`. */
  readonly secret?: string;
}

export const defaultSecret = 'webhook';
/** Of a task, and of a request. */
export const mostWebhooks = 8;
/** Of rows beside the executions. */
export const deliveryKind = 'webhook';

export type DeliveryState = 'pending' | 'delivered' | 'dead';

export interface Delivery {
  /** The `webhook-id` of each try. */
  readonly id: string;
  readonly tenant: string;
  readonly url: string;
  readonly secret: string;
  readonly state: DeliveryState;
  /** Tries since the end, or since it was redriven. */
  readonly attempts: number;
  /** Instants are of the wall clock, in milliseconds since the epoch; tries stop a day after this one. */
  readonly since: number;
  readonly lastAt?: number;
  readonly nextAt?: number;
  readonly deliveredAt?: number;
  /** Of HTTP. */
  readonly lastStatus?: number;
  readonly lastError?: string;
  /** The execution as it ended, without a value: that is told as long as the execution is kept. */
  readonly record: ExecutionRecord;
}

/** What came of a try. */
export type Sent =
  | { readonly kind: 'delivered'; readonly status: number }
  | {
      readonly kind: 'failed';
      readonly error: string;
      readonly status?: number;
      /** As the receiver asks. */
      readonly retryAfterMs?: number;
      /** The receiver is gone for good. */
      readonly isFinal?: true;
    };

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Before the second try, the third and so on; the last one again and again. Of Standard Webhooks, with two more at first. */
const delaysMs = [
  5 * secondMs,
  30 * secondMs,
  2 * minuteMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  4 * hourMs,
] as const;
const triedForMs = dayMs;
/** So long it can still be seen. */
const keptMs: Readonly<Record<Exclude<DeliveryState, 'pending'>, number>> = {
  delivered: dayMs,
  dead: 30 * dayMs,
};
/** Of a delay, at random: those of one outage do not come back together. */
const jitter = 0.2;
const mostErrorLength = 500;

/** The webhooks that the end of an execution is told to; until then, those that it may be. */
export function webhooksOf({
  onEnd = [],
  status,
  outcome,
  restoredAt,
}: ExecutionRecord): readonly EndWebhook[] {
  if (!isTerminal(status)) return onEnd;
  // One that was restored as a record has ended elsewhere, and one that was moved goes on there.
  if (restoredAt !== undefined || (outcome?.status === 'failed' && outcome.code === 'MOVED')) return [];
  return onEnd.filter(({ statuses }) => statuses === undefined || statuses.includes(status as EndStatus));
}

/** Those that the request of an execution has named: who runs it again names them, too. */
export function ownWebhooksOf({
  onEnd = [],
  ownWebhooks = 0,
  restoredAt,
}: ExecutionRecord): readonly EndWebhook[] {
  // Whoever made the document of one that was restored could name anybody.
  return ownWebhooks === 0 || restoredAt !== undefined ? [] : onEnd.slice(-ownWebhooks);
}

/** The deliveries of the end of an execution; none where it has not ended. */
export function deliveriesOf(record: ExecutionRecord): readonly Delivery[] {
  if (record.onEnd === undefined || !isTerminal(record.status)) return [];
  const { outcome, completedAt = record.createdAt } = record;
  const { output: _output, ...rest } = outcome ?? { status: 'completed' as const, output: '' };
  const told = { ...record, outcome: rest } as ExecutionRecord;
  return webhooksOf(record).map(({ url, secret = defaultSecret }, index) => ({
    ...{ id: deliveryId(record.executionId, index), tenant: tenantOf(record), url, secret },
    ...{ state: 'pending', attempts: 0, since: completedAt, nextAt: completedAt, record: told },
  }));
}

/** Times sort as the executions do. */
function deliveryId(executionId: string, index: number): string {
  return `msg_${executionId.replace(/^exec_/, '')}_${index}`;
}

/** What ids of the deliveries of an execution begin with. */
export function deliveryPrefix(executionId: string): string {
  return `msg_${executionId.replace(/^exec_/, '')}_`;
}

export function deliveryRow({ id, tenant, ...rest }: Delivery): SideRow {
  const dueAt = rest.state === 'pending' ? rest.nextAt : (rest.lastAt ?? rest.since) + keptMs[rest.state];
  const row = { kind: deliveryKind, tenant, key: id, value: JSON.stringify(rest) };
  return dueAt === undefined ? row : { ...row, dueAt };
}

export function deliveryOf({ tenant, key, value }: SideRow): Delivery {
  // Only this module writes such rows, and the store has held the checksum of each.
  return { id: key, tenant, ...(JSON.parse(value) as Omit<Delivery, 'id' | 'tenant'>) };
}

/** A delivery after a try that ended at `now`; `random` is 0 to 1. */
export function triedOnce(delivery: Delivery, sent: Sent, now: number, random: number): Delivery {
  const { lastStatus: _status, lastError: _error, nextAt: _next, ...before } = delivery;
  const attempts = before.attempts + 1;
  const tried = {
    ...{ ...before, attempts, lastAt: now },
    ...(sent.status !== undefined && { lastStatus: sent.status }),
  };
  if (sent.kind === 'delivered') return { ...tried, state: 'delivered', deliveredAt: now };
  const lastError = sent.error.slice(0, mostErrorLength);
  const delay = delaysMs[Math.min(attempts, delaysMs.length) - 1] ?? hourMs;
  const nextAt = Math.round(now + Math.max(delay * (1 + jitter * random), sent.retryAfterMs ?? 0));
  if (sent.isFinal === true || nextAt > before.since + triedForMs)
    return { ...tried, state: 'dead', lastError };
  return { ...tried, lastError, nextAt };
}

/** As if it had not been tried. */
export function redriven({ deliveredAt: _delivered, ...before }: Delivery, now: number): Delivery {
  return { ...before, state: 'pending', attempts: 0, since: now, nextAt: now };
}

/** Where webhooks of a node may be. */
export interface WebhookRule {
  readonly isAllowed: (address: string) => boolean;
  readonly allowHttp: boolean;
}

/** Throws invalid_argument, naming the first whose URL is not allowed. */
export function assertMayTell(field: string, webhooks: readonly EndWebhook[] = [], rule: WebhookRule): void {
  for (const [index, { url }] of webhooks.entries()) {
    const fault = urlFault(url, rule);
    if (fault !== undefined) throw invalidArgument(`${field}[${index}].url`, fault);
  }
}

/** What is wrong with the URL of a webhook; undefined where nothing is that can be seen in it. */
export function urlFault(text: string, { isAllowed, allowHttp }: WebhookRule): string | undefined {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  // The parser drops some of these, and the text is kept and shown.
  if (/[\p{Cc}\p{Cf}\s]/u.test(text)) return 'has a space or a control character; allowed is none';
  const schemes = allowHttp ? ['https:', 'http:'] : ['https:'];
  if (!schemes.includes(url.protocol)) {
    return `has the scheme ${url.protocol.slice(0, -1)}; allowed is ${schemes.map((each) => each.slice(0, -1)).join(' or ')}`;
  }
  if (url.username !== '' || url.password !== '')
    return 'has a user or password; allowed is none, as it is kept and shown';
  const host = hostOf(url);
  // A name is looked up when it is told: what it is now says nothing of then.
  if (parseAddress(host) !== undefined && !isAllowed(host)) {
    return `has ${host}, which is not of the public internet; others are for a node with --allow-private-webhook-hosts`;
  }
  return undefined;
}

/** Without the brackets of an IPv6 address. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '');
}

/** A URL may have what opens its receiver to anybody in its path: its origin says enough to most. */
export function originOf(url: string): string {
  return URL.parse(url)?.origin ?? '';
}

/** What there is to say of deliveries since the start of the node, and of those that wait now. */
export interface DeliveryCounts {
  readonly delivered: number;
  readonly failed: number;
  readonly dead: number;
  readonly waiting: number;
  /** Milliseconds since the oldest that waits was due. */
  readonly lagMs: number;
}

export interface DeliveryQuery {
  /** Undefined for all. */
  readonly tenant: string | undefined;
  readonly executionId?: string;
  /** Ids behind this one. */
  readonly after: string;
  readonly limit: number;
}

/** Deliveries, for who shows and redrives them. */
export interface Deliveries {
  /** In the order of their executions. */
  list(query: DeliveryQuery): Promise<Delivery[]>;
  get(tenant: string, id: string): Promise<Delivery | undefined>;
  /** Tries these again, at once. */
  redrive(deliveries: readonly Delivery[]): Promise<void>;
}
