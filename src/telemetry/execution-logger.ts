/** A line for each step of an execution, once it is committed. */
import { originOf } from '../domain/errors.ts';
import type { NewEvent } from '../domain/event.ts';
import type { ExecutionRecord } from '../domain/execution.ts';
import type { StoreObserver } from '../domain/node-feed.ts';
import { transitionWords } from '../domain/transition-words.ts';
import type { Logger } from './logger.ts';

/**
 * Ordinary steps are for who debugs. An operator sees what befell an execution from outside (lost, followed again,
 * moved), and what the platform did wrong. Nothing is done for levels that are off.
 */
export function executionLogger(logger: Logger): StoreObserver {
  return {
    committed(record, events) {
      // The most that is told of any step.
      if (!logger.isLevelEnabled('warn')) return;
      for (const event of events) {
        if (event.kind === 'transition') logStep(logger, record, event);
        else if (event.kind === 'result') logEnd(logger, record);
      }
    },
  };
}

type Transition = NewEvent & { readonly kind: 'transition' };

function logStep(logger: Logger, record: ExecutionRecord, event: Transition): void {
  const words = transitionWords(event);
  const level = event.eventType === 'lost' ? 'warn' : words === '' ? 'debug' : 'info';
  if (!logger.isLevelEnabled(level)) return;
  const { to, eventType, reasonCode, attempt, by } = event;
  logger[level](
    {
      ...identityOf(record),
      attempt,
      ...(event.from !== '' && { from: event.from }),
      to,
      event: eventType,
      ...(reasonCode !== '' && { code: reasonCode }),
      ...(by !== undefined && { by }),
    },
    words === '' ? stepText(event) : `execution: ${words}`,
  );
}

function stepText({ from, to, eventType }: Transition): string {
  if (from === '') return 'execution accepted';
  if (eventType === 'dispatch') return 'attempt started';
  if (to === 'running.backingOff' && from !== to) return 'another attempt follows';
  if (to === 'running.stopping' && from !== to) return 'attempt is stopped';
  return 'execution went on';
}

function logEnd(logger: Logger, record: ExecutionRecord): void {
  const { outcome } = record;
  if (outcome === undefined) return;
  const failed = outcome.status !== 'completed' ? outcome : undefined;
  const level = failed !== undefined && originOf(failed.code) === 'platform' ? 'warn' : 'debug';
  if (!logger.isLevelEnabled(level)) return;
  logger[level](
    {
      ...identityOf(record),
      attempt: record.attempt,
      status: record.status,
      ...(failed !== undefined && { code: failed.code, error: failed.message }),
      queueTimeMs: record.queueTimeMs,
      executionTimeMs: Math.round(record.executionTimeMs),
    },
    'execution ended',
  );
}

function identityOf({ executionId, tenant, taskId, taskName, trace }: ExecutionRecord) {
  return {
    executionId,
    ...(tenant !== undefined && { tenant }),
    taskId,
    task: taskName,
    ...(trace !== undefined && { traceId: trace.traceId }),
  };
}
