import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventParser } from '../../../src/visualizer/page/feed/event-parser.ts';

type Told = readonly [name: string, data: string, id: string];

function read(pieces: readonly string[]): Told[] {
  const told: Told[] = [];
  const parser = new EventParser((name, data, id) => told.push([name, data, id]));
  for (const piece of pieces) parser.push(piece);
  return told;
}

describe('a stream of events', () => {
  it.each([
    ['an event with all it can have', 'id: 7\nevent: node\ndata: {"a":1}\n\n', [['node', '{"a":1}', '7']]],
    ['lines of data', 'data: a\ndata: b\ndata\ndata:c\n\n', [['message', 'a\nb\n\nc', '']]],
    [
      'an id that holds on',
      'id: 1\ndata: a\n\ndata: b\n\n',
      [
        ['message', 'a', '1'],
        ['message', 'b', '1'],
      ],
    ],
    ['an id that nobody can send back', 'id: 1\n\nid: 2\0\ndata: a\n\n', [['message', 'a', '1']]],
    ['one space only', 'data:  a \n\n', [['message', ' a ', '']]],
    ['a value with a colon', 'data: a: b\n\n', [['message', 'a: b', '']]],
    [
      'comments, fields that are not known, and what has no data',
      ': hi\n\nretry: 5\nfoo: x\nevent: a\n\n',
      [],
    ],
    ['a name that is of one event alone', 'event: a\n\ndata: b\n\n', [['message', 'b', '']]],
    ['a mark of the byte order', '\uFEFFdata: a\n\n', [['message', 'a', '']]],
    ['what never ended', 'data: a\n\ndata: b\n', [['message', 'a', '']]],
  ] as const)('with %s is read as the standard says', (_what, text, told) => {
    expect(read([text])).toEqual(told);
  });

  it('is the same in whatever pieces it comes, and however its lines end', () => {
    const line = fc.constantFrom('data: a', 'data', 'id: 4', 'event: log', ': x', '', '', 'data: \u{1F600}é');
    const stream = fc.array(line, { maxLength: 30 });
    const ends = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(stream, ends, fc.array(fc.nat(200)), (lines, end, cuts) => {
        const whole = `${lines.join('\n')}\n\n: end\n`;
        const text = whole.replaceAll('\n', end);
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, text.length)).sort((a, b) => a - b),
          text.length,
        ];
        const pieces = places.slice(1).map((to, index) => text.slice(places[index], to));
        expect(read(pieces)).toEqual(read([whole]));
      }),
    );
  });
});
