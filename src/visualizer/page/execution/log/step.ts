/** The transitions of a log, the last one included: the log tells that one by its result alone. Pure. */
import type { LogEvent, ResultEvent } from '../../model/log-event.ts';
import { patchOf } from '../../model/log-event.ts';
import type { Status } from '../../model/status.ts';
import type { Json } from '../../wire.ts';

/** A change of chart state, or of what the machine knows. */
export interface Step {
  /** Among the steps of a log, from 0. */
  readonly number: number;
  readonly sequence: number;
  readonly time: number;
  readonly attempt: number;
  readonly status: Status;
  /** Empty for the admission. */
  readonly from: string;
  readonly to: string;
  readonly eventType: string;
  /** An error code, or empty. */
  readonly reasonCode: string;
  /** It ends the execution. */
  readonly isFinal: boolean;
  /** What it changed in the machine's context. Read anew with each call. */
  patch(): Json;
}

/** The step that an event is; nothing where it is output or a refusal. `from` is the state before it. */
export function stepOf(event: LogEvent, number: number, from: string): Step | undefined {
  const { sequence, time, attempt, status } = event;
  const head = { number, sequence, time, attempt, status };
  if (event.kind === 'transition') {
    const { transition } = event;
    return {
      ...head,
      from: transition.from,
      to: transition.to,
      eventType: transition.eventType,
      reasonCode: transition.reasonCode,
      isFinal: false,
      patch: () => patchOf(transition),
    };
  }
  if (event.kind === 'chunk' || event.kind === 'refusal') return undefined;
  return {
    ...head,
    from,
    to: event.result.state === '' ? event.result.status : event.result.state,
    eventType: endingEvent(from, event.result.errorCode),
    reasonCode: event.result.errorCode,
    isFinal: true,
    patch: () => ({ outcome: outcomeOf(event) }),
  };
}

/** The chart's event that led to an end: a result does not carry it, but its code leaves no choice. */
function endingEvent(from: string, code: string): string {
  if (code === 'INTERRUPTED') return 'lost';
  if (code === 'KILL_UNCONFIRMED') return 'alarm';
  if (from === 'running.attempting' || from === 'running.stopping') return 'attemptEnded';
  if (code === 'CANCELLED') return 'cancel';
  if (code === 'MOVED') return 'detach';
  return code.endsWith('_TIMEOUT') ? 'alarm' : 'attemptEnded';
}

/** As the chart keeps it. */
function outcomeOf({ result }: ResultEvent): Json {
  const { termination } = result;
  return {
    status: result.status,
    ...(result.errorCode !== '' && { code: result.errorCode, message: result.errorMessage }),
    ...(result.exitCode !== undefined && { exitCode: result.exitCode }),
    ...(termination !== undefined && { termination: { rung: termination.rung, tookMs: termination.tookMs } }),
  };
}
