import type {
  InstanceEvent,
  InstanceFacts,
  InstanceReport,
  InstanceReporter,
} from '../../../src/domain/instance.ts';

/** What was reported of each instance, as lines in order. */
export class RecordedInstances implements InstanceReporter {
  readonly facts: InstanceFacts[] = [];
  readonly #lines = new Map<string, string[]>();

  open(facts: InstanceFacts): InstanceReport {
    this.facts.push(facts);
    const lines: string[] = [];
    this.#lines.set(facts.instanceId, lines);
    return { state: 'starting', send: (event) => void lines.push(lineOf(event)) };
  }

  of(instanceId: string): readonly string[] {
    return this.#lines.get(instanceId) ?? [];
  }
}

function lineOf(event: InstanceEvent): string {
  if (event.type === 'bind') return `bind ${event.executionId} ${event.attempt}`;
  return 'reason' in event ? `${event.type}: ${event.reason}` : event.type;
}
