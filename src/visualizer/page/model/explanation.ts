/** Why an execution is where it is: the model of `ExplainExecutionResponse`. */
import type { ExplainExecutionResponseJson } from '../wire.ts';
import { instantOf, numberOf } from './scalar.ts';
import { type Status, statusOf } from './status.ts';

export interface Explanation {
  readonly status: Status;
  readonly state: string;
  /** One sentence. */
  readonly summary: string;
  readonly details: readonly string[];
  /** From 1; 0 where it is in no queue. */
  readonly queuePlace: number;
  readonly queueLength: number;
  /** The executions that hold the slots it waits for. */
  readonly heldBy: readonly string[];
  readonly goesOnAt: number | undefined;
  readonly endsAt: number | undefined;
  /** What holds it back besides slots: `concurrency metadata.user a: 2`. */
  readonly gate?: string;
}

/** `addressFlag` follows the commands of the node's sentences, which do not know how the reader reaches it. */
export function explanationOf(json: ExplainExecutionResponseJson, addressFlag = ''): Explanation {
  return {
    status: statusOf(json.status),
    state: json.state,
    summary: json.summary,
    details: json.details.map((line) => line.replace(/`(spear [^`]*)`/g, `\`$1${addressFlag}\``)),
    queuePlace: numberOf(json.queuePlace),
    queueLength: numberOf(json.queueLength),
    heldBy: json.heldBy,
    goesOnAt: instantOf(json.goesOnAt),
    endsAt: instantOf(json.endsAt),
    ...(json.gate !== undefined && { gate: gateText(json.gate) }),
  };
}

function gateText({
  kind,
  key,
  value,
  limit,
  per,
}: NonNullable<ExplainExecutionResponseJson['gate']>): string {
  const what = [kind, key, value].filter((part) => part !== '').join(' ');
  return `${what}: ${limit}${per === undefined ? '' : ` in ${per}`}`;
}
