import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type NodePlace, placementKey, runsOnPattern, whyNotOn } from '../../src/domain/placement.ts';

const limits = { maxOutputBytes: 1, maxOutputEvents: 1 };
const node = (labels: NodePlace['labels'], more: Partial<NodePlace> = {}): NodePlace => ({
  labels,
  runtimes: ['wasm'],
  ...more,
});
const why = (runsOn: Readonly<Record<string, string>>, labels: NodePlace['labels']) =>
  whyNotOn({ runtime: 'wasm', runsOn, limits }, node(labels));

describe('where a task runs', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'b', false],
    ['a', undefined, false],
    ['a|b', 'b', true],
    ['a|b', 'c', false],
    ['!a|b', 'b', false],
    ['!a|b', 'c', true],
    ['!a', undefined, true],
    ['*', 'anything', true],
    ['*', '', true],
    ['*', undefined, false],
    ['!*', undefined, true],
    ['!*', '', false],
    ['>=2', '2', true],
    ['>=2', '10', true],
    ['>2', '2', false],
    ['<=2.5', '2.5', true],
    ['<2', '-1', true],
    ['>=2', 'two', false],
    ['>=2', '', false],
    ['>=2', undefined, false],
  ])('%s of a label that is %s: %s', (wish, value, fits) => {
    expect(why({ zone: wish }, value === undefined ? {} : { zone: value }) === undefined).toBe(fits);
  });

  it('says what of a node is in the way', () => {
    expect(why({ zone: 'a', gpu: '*' }, { zone: 'a' })).toBe('has no label gpu, and runs_on wants gpu: *');
    expect(why({ zone: 'a' }, { zone: 'b' })).toBe('has zone=b, and runs_on wants zone: a');
    expect(whyNotOn({ runtime: 'docker', limits }, node({}))).toBe('has no docker runtime');
    expect(whyNotOn({ runtime: 'wasm', limits: { ...limits, memory: 9 } }, node({}, { memory: 8 }))).toBe(
      'gives an attempt at most 8 bytes of memory, and it wants 9',
    );
    expect(whyNotOn({ runtime: 'wasm', limits: { ...limits, cpu: 2 } }, node({}, { processors: 1 }))).toBe(
      'gives an attempt at most 1 processors, and it wants 2',
    );
  });

  it('takes no label from what objects have by themselves', () => {
    expect(why({ constructor: '*' }, {})).toBeDefined();
  });

  it('is met by every node where nothing is wished', () => {
    const labels = fc.dictionary(fc.string(), fc.string());
    fc.assert(fc.property(labels, (found) => why({}, found) === undefined));
  });

  it('is the same whatever the order of its wishes, and a negation is the opposite', () => {
    const value = fc.string({ minLength: 1 }).filter((text) => /^[a-z0-9]+$/.test(text));
    const values = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.option(fc.oneof(value, fc.constantFrom('a', 'b'))), (wanted, has) => {
        const labels = has === null ? {} : { zone: has };
        const [yes, no] = [wanted.join('|'), `!${wanted.join('|')}`];
        expect(why({ zone: yes }, labels) === undefined).toBe(why({ zone: no }, labels) !== undefined);
        const one = { runtime: 'wasm', limits, runsOn: { zone: yes, arch: '*' } } as const;
        const other = { runtime: 'wasm', limits, runsOn: { arch: '*', zone: yes } } as const;
        expect(placementKey(one)).toBe(placementKey(other));
      }),
    );
  });

  it.each(['', '!', '|', 'a|', 'a||b', '>=x', '>', '=>2', '**', 'a\n'])('does not take %j', (wish) => {
    expect(runsOnPattern.test(wish)).toBe(false);
  });
});
