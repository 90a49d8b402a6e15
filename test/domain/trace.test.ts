import { describe, expect, it } from 'vitest';
import {
  attemptSpan,
  executionSpan,
  queueSpan,
  traceContext,
  traceVariables,
} from '../../src/domain/trace.ts';
import { sampledTraces } from '../../src/domain/trace-sampling.ts';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const parentId = 'b7ad6b7169203331';
const sampled = `00-${traceId}-${parentId}-01`;

describe('a traceparent', () => {
  it('says the trace, the span of the caller, and whether it is sampled', () => {
    expect(traceContext(sampled, undefined)).toEqual({ traceId, parentId, sampled: true });
    expect(traceContext(`00-${traceId}-${parentId}-00`, undefined)).toMatchObject({ sampled: false });
    expect(traceContext(`00-${traceId}-${parentId}-03`, undefined)).toMatchObject({ sampled: true });
  });

  it('of a later version is read as far as it is known', () => {
    expect(traceContext(`cc-${traceId}-${parentId}-01-what-comes-later`, undefined)).toMatchObject({
      traceId,
    });
    expect(traceContext(`cc-${traceId}-${parentId}-01.what`, undefined)).toBeUndefined();
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['one that is too short', sampled.slice(0, -1)],
    ['one with more than its version has', `${sampled}-00`],
    ['the version that is none', sampled.replace(/^00/, 'ff')],
    ['capital letters', sampled.toUpperCase()],
    ['a trace of zeroes', sampled.replace(traceId, '0'.repeat(32))],
    ['a span of zeroes', sampled.replace(parentId, '0'.repeat(16))],
    ['two in one', `${sampled}, ${sampled}`],
  ])('is ignored with its tracestate where it is no good: %s', (_what, text) => {
    expect(traceContext(text, 'a=b')).toBeUndefined();
  });
});

describe('a tracestate', () => {
  const stateOf = (text: string) => traceContext(sampled, text)?.state;

  it('is passed on as it is', () => {
    expect(stateOf('rojo=00f067aa0ba902b7,congo@x=t61rcWkgMzE')).toBe(
      'rojo=00f067aa0ba902b7,congo@x=t61rcWkgMzE',
    );
    expect(stateOf(' a=b , , c=d')).toBe('a=b,c=d');
  });

  it.each(['a', 'A=b', 'a=b\u0007', 'a=b=c', `a=${'x'.repeat(257)}`, 'a=b,'.repeat(33)])(
    'is left out where it is not as it has to be (%#)',
    (text) => {
      expect(stateOf(text)).toBeUndefined();
    },
  );

  it('that is too long loses its long entries first, and then the last ones', () => {
    const short = Array.from({ length: 30 }, (_, index) => `k${index}=${'v'.repeat(20)}`);
    const kept = stateOf([`long=${'x'.repeat(200)}`, ...short].join(','));
    expect(kept?.length).toBeLessThanOrEqual(512);
    expect(kept?.split(',')).toEqual(short.slice(0, kept?.split(',').length));
    expect(kept?.split(',').length).toBeGreaterThan(15);
  });
});

describe('what a function hears of its trace', () => {
  const executionId = 'exec_00000000000000000000000001';

  it('is the span of its attempt where the node makes spans, with what others keep', () => {
    const trace = { traceId, parentId, sampled: true, spans: true, state: 'a=b' };
    expect(traceVariables({ executionId, trace }, 2)).toEqual({
      TRACEPARENT: `00-${traceId}-${attemptSpan(executionId, 2)}-01`,
      TRACESTATE: 'a=b',
    });
  });

  it('is the span of the caller where the node makes none', () => {
    const trace = { traceId, parentId, sampled: false };
    expect(traceVariables({ executionId, trace }, 1)).toEqual({
      TRACEPARENT: `00-${traceId}-${parentId}-00`,
    });
    expect(traceVariables({ executionId }, 1)).toBeUndefined();
  });
});

it('no two spans of ten thousand executions have one id', () => {
  const ids = new Set<string>();
  for (let index = 0; index < 10_000; index++) {
    const id = `exec_01jd${String(index).padStart(22, '0')}`;
    for (const span of [executionSpan(id), attemptSpan(id, 1), attemptSpan(id, 2), queueSpan(id, 1)]) {
      expect(span).toMatch(/^[0-9a-f]{16}$/);
      ids.add(span);
    }
  }
  expect(ids.size).toBe(40_000);
});

it('a caller decides for its trace, and chance where there is none', () => {
  let chance = 0.5;
  const traces = sampledTraces({ ratio: 0.1, random: () => chance, traceId: () => traceId });
  expect(traces.traceFor({ traceId, parentId, sampled: true })).toMatchObject({ spans: true });
  expect(traces.traceFor({ traceId, parentId, sampled: false })).toEqual({
    traceId,
    parentId,
    sampled: false,
  });
  expect(traces.traceFor(undefined)).toBeUndefined();
  chance = 0.09;
  expect(traces.traceFor(undefined)).toEqual({ traceId, sampled: true, spans: true });
});
