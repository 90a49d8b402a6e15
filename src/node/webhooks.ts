/** Composes what tells others of ends: rows, secrets, what is told, and who posts it. */
import { Deliverer } from '../actors/webhooks/deliverer.ts';
import type { NodeConfig } from '../config.ts';
import type { Clock } from '../domain/clock.ts';
import type { Duty } from '../domain/duty.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { Executions } from '../domain/executions.ts';
import { kindOfAddress, parseAddress } from '../domain/network/address.ts';
import { type InlineOutput, noOutput, syncResponse } from '../domain/response.ts';
import type { Delivery, Sent, WebhookRule } from '../domain/webhook.ts';
import { readOutput } from '../observers/output.ts';
import { isPublicAddress } from '../runtimes/public-address.ts';
import { ExecutionResultSchema } from '../server/gen/spearlet/function_pb.js';
import { resultToWire } from '../server/wire/execution.ts';
import { messageToJson } from '../server/wire/json-response.ts';
import type { Store } from '../stores/store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { packageVersion } from '../version.ts';
import { post } from '../webhooks/sender.ts';
import { signingKeys } from '../webhooks/signing-keys.ts';
import { openSecrets } from './runtimes.ts';

export interface WebhookParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly nodeId: string;
  readonly executions: Pick<Executions, 'attach'>;
  readonly logger: Logger;
  readonly duty: Duty;
}

/** Of the output that is told with an end; the whole of it is asked for by the id. */
const mostOutputBytes = 64 * 1024;

/** Where webhooks of a node may be: never where clouds tell a machine its credentials. */
export function webhookRule({ allowPrivateWebhookHosts }: NodeConfig): WebhookRule {
  const isAllowed = (address: string): boolean => {
    if (!allowPrivateWebhookHosts) return isPublicAddress(address);
    const parsed = parseAddress(address);
    return parsed !== undefined && kindOfAddress(parsed) !== 'metadata';
  };
  return { isAllowed, allowHttp: allowPrivateWebhookHosts };
}

export function openDeliverer(
  config: NodeConfig,
  parts: WebhookParts,
  opened: AsyncDisposableStack,
): Deliverer {
  const { clock, store, nodeId, executions, logger, duty } = parts;
  const secrets = openSecrets(config);
  const options = { ...webhookRule(config), userAgent: `spear/${packageVersion()}` };
  const send = async (delivery: Delivery, signal: AbortSignal): Promise<Sent> => {
    try {
      const { values } = await secrets.read({ secrets: { webhook: delivery.secret } }, delivery.tenant);
      const keys = signingKeys(delivery.secret, values[0]?.value ?? new Uint8Array());
      const body = Buffer.from(JSON.stringify(await eventOf(delivery, nodeId, executions, clock)));
      const timestamp = Math.floor(clock.now() / 1000);
      return await post({ id: delivery.id, url: delivery.url, body, timestamp, keys }, options, signal);
    } catch (error) {
      return { kind: 'failed', error: error instanceof Error ? error.message : String(error) };
    }
  };
  const deliverer = new Deliverer({
    ...{ clock, store, send, duty, random: Math.random },
    failed: (error) => logger.warn({ err: error }, 'webhooks: the store could not be read or written'),
    died: ({ id, record, lastError }) =>
      logger.warn({ delivery: id, executionId: record.executionId, lastError }, 'a webhook was given up'),
  });
  opened.defer(() => deliverer.close());
  return deliverer;
}

/** CloudEvents 1.0, as JSON. */
async function eventOf(
  { id, record }: Delivery,
  nodeId: string,
  executions: Pick<Executions, 'attach'>,
  clock: Clock,
): Promise<object> {
  const { record: known, output } = await resultOf(record, executions);
  const response = syncResponse(known, output, 0, Math.round(clock.now()));
  return {
    specversion: '1.0',
    id,
    source: `urn:spear:${nodeId}`,
    type: `spear.execution.${record.status === 'timedOut' ? 'timed_out' : record.status}`,
    subject: record.executionId,
    time: new Date(record.completedAt ?? record.createdAt).toISOString(),
    datacontenttype: 'application/json',
    data: messageToJson(ExecutionResultSchema, resultToWire(response)),
  };
}

/** What is still kept of it: where nothing is, what the delivery has itself, without the output. */
async function resultOf(
  record: ExecutionRecord,
  executions: Pick<Executions, 'attach'>,
): Promise<{ readonly record: ExecutionRecord; readonly output: InlineOutput }> {
  try {
    const cursor = await executions.attach(record.executionId, 'glance');
    try {
      return { record: cursor.record, output: await readOutput(cursor, cursor.record, mostOutputBytes) };
    } finally {
      cursor.close('done');
    }
  } catch {
    // Retention or a person has taken it meanwhile, or it is damaged.
    return { record, output: { ...noOutput, truncated: record.outputBytes > 0 } };
  }
}
