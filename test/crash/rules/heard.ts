/** I2: what was heard is durable, so it is there afterwards as it was heard. */
import type { Final, History, Told } from '../history.ts';
import type { Rule } from './rule.ts';
import { statesIn } from './rule.ts';
import { difference, eventBytes, resultBytes } from './same.ts';

function eachTold<Kind extends Told['kind']>(
  name: string,
  kind: Kind,
  check: (told: Extract<Told, { kind: Kind }>, final: Final) => Iterable<string>,
): Rule {
  return {
    name,
    *check({ told, finals }: History) {
      for (const each of told) {
        if (each.kind !== kind) continue;
        const one = each as Extract<Told, { kind: Kind }>;
        const executionId = 'executionId' in one ? one.executionId : undefined;
        const final = finals.get(executionId ?? '');
        // One that is not there at all is another rule's matter.
        if (final === undefined) continue;
        for (const what of check(one, final)) yield `${executionId}: ${what}`;
      }
    },
  };
}

const events = eachTold('I2 events', 'event', function* ({ event }, { log }) {
  const same = log.find(({ sequence }) => sequence === event.sequence);
  if (same === undefined) yield `event ${event.sequence} was heard and is gone`;
  else if (!eventBytes(same).equals(eventBytes(event)))
    yield `event ${event.sequence} was heard otherwise: ${difference(event, same)}`;
});

const results = eachTold('I2 results', 'view', function* ({ result, withOutput }, final) {
  if (!result.isCompleted) return;
  if (!resultBytes(result, withOutput).equals(resultBytes(final.result, withOutput))) {
    yield `its end was told as ${result.state} in attempt ${result.attempt}, and is another`;
  }
});

const views = eachTold('I2 views', 'view', function* ({ result, lastSequence }, { log }) {
  if (lastSequence > log.length) yield `event ${lastSequence} was told of and is gone`;
  const at = statesIn(log.slice(0, lastSequence)).at(-1);
  if (!result.isCompleted && at !== undefined && at.to !== result.state) {
    yield `it was told to be ${result.state} after event ${lastSequence}, and was ${at.to}`;
  }
});

const cancels = eachTold('I2 cancels', 'cancelled', function* ({ changed }, { result, log }) {
  const unconfirmed = statesIn(log).some(({ reasonCode }) => reasonCode === 'CANCELLED');
  if (changed && result.state !== 'cancelled' && !(unconfirmed && result.state === 'failed')) {
    yield `a cancel of it was accepted, and it is ${result.state}`;
  }
});

export const heardRules: readonly Rule[] = [events, results, views, cancels];
