import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contextPatch } from '../../src/domain/patch.ts';

/** RFC 7396, as a reader of the log would apply it. */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const whole: Record<string, unknown> =
    typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete whole[key];
    else whole[key] = merge(whole[key], value);
  }
  return whole;
}

const apply = (target: unknown, patch: string): unknown =>
  patch === '' ? target : merge(target, JSON.parse(patch));

test('of the first context all that is set, of a later one what changed', () => {
  const first = { a: 1, b: null, c: 'x' };
  expect(JSON.parse(contextPatch(undefined, first))).toEqual({ a: 1, c: 'x' });
  expect(JSON.parse(contextPatch(first, { ...first, b: 2 }))).toEqual({ b: 2 });
  expect(JSON.parse(contextPatch(first, { ...first, a: null }))).toEqual({ a: null });
});

test('nothing where nothing changed', () => {
  const retry = { maxAttempts: 2 };
  expect(contextPatch({ a: 1, retry }, { a: 1, retry })).toBe('');
  expect(contextPatch(undefined, {})).toBe('');
  expect(contextPatch({}, { a: null })).toBe('');
});

test('applied one after the other to nothing, the patches of any life give its context; null is absent', () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.string(),
    fc.record({ code: fc.constantFrom('A', 'B'), message: fc.string() }),
  );
  const context = fc.record({ attempt: fc.nat(), retryAt: value, cause: value, outcome: value });
  fc.assert(
    fc.property(fc.array(context, { minLength: 1, maxLength: 8 }), (contexts) => {
      let replayed: unknown = {};
      let before: object | undefined;
      for (const after of contexts) {
        replayed = apply(replayed, contextPatch(before, after));
        before = after;
        expect(replayed).toEqual(
          Object.fromEntries(Object.entries(after).filter(([, held]) => held !== null)),
        );
      }
    }),
  );
});
