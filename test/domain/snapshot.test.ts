import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { usualLineBytes } from '../../src/domain/snapshot/parts.ts';
import { firstLine } from '../../src/domain/snapshot/writer.ts';
import { beginning, blobs, linesOf, partsWith, recordWith, sealed } from './snapshot-document.ts';
import { joined, readAll } from './snapshot-reader.ts';

describe('a document', () => {
  test('gives back what was written, whatever the pieces it comes in', () => {
    const contents = fc.record({
      input: blobs(250_000),
      chunks: fc.array(blobs(65_536), { maxLength: 12 }),
      artifact: blobs(250_000),
    });
    fc.assert(
      fc.property(contents, fc.integer({ min: 1, max: 70_000 }), (given, size) => {
        const parts = partsWith(given);
        expect(joined(readAll(sealed(linesOf(parts)), size))).toEqual(parts);
      }),
      { numRuns: 40 },
    );
  });

  test('is one JSON document', () => {
    const parts = partsWith({ chunks: [Buffer.from('hello')] });
    const document = JSON.parse(sealed(linesOf(parts)).toString()) as { parts: { kind: string }[] };
    expect(document).toMatchObject({ spearSnapshot: 1 });
    expect(document.parts.map(({ kind }) => kind)).toEqual([...parts.map(({ kind }) => kind), 'seal']);
  });

  test('has no line above the usual size where its content comes in pieces', () => {
    const chunks = Array.from({ length: 40 }, (_, index) => Buffer.alloc(65_536, index));
    const many = Array.from({ length: 3000 }, () => Buffer.from('x'));
    for (const given of [{ chunks }, { chunks: many }, { input: Buffer.alloc(1_000_000) }]) {
      const longest = Math.max(...linesOf(partsWith(given)).map((line) => Buffer.byteLength(line)));
      expect(longest).toBeLessThanOrEqual(usualLineBytes);
    }
  });

  test('of what has ended has no machine, and needs no task', () => {
    const record = recordWith({
      status: 'completed',
      state: 'completed',
      completedAt: 1_750_000_000_005,
      lastSequence: 3,
      outcome: { status: 'completed', exitCode: 0 },
    });
    const [header, , , invocation] = partsWith();
    if (header?.kind !== 'header' || invocation?.kind !== 'invocation') throw new Error('another order');
    const result = {
      kind: 'result',
      sequence: 3,
      time: 1_750_000_000_005,
      status: 'completed',
      attempt: 1,
    } as const;
    const parts = [
      header,
      { kind: 'record', record } as const,
      invocation,
      { kind: 'events', events: [...beginning, result] } as const,
    ];
    expect(readAll(sealed(linesOf(parts)))).toEqual(parts);
  });
});

/** What the reader says of a document. */
function refusal(document: Uint8Array | string): RequestError {
  try {
    readAll(typeof document === 'string' ? Buffer.from(document) : document);
  } catch (error) {
    if (error instanceof RequestError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a document is refused, and the line said,', () => {
  const lines = linesOf(
    partsWith({ input: Buffer.from('abc'), chunks: [Buffer.from('x'), Buffer.from('y')] }),
  );
  const whole = sealed(lines).toString();
  const changed = (find: string | RegExp, by: string): string => {
    const result = whole.replace(find, by);
    expect(result).not.toBe(whole);
    return result;
  };

  test.each([
    ['"spearSnapshot":1', '"spearSnapshot":7'],
    ['"envelope":1', '"envelope":7'],
  ])('of a version that is not known, with those that are: %s', (known, unknown) => {
    const error = refusal(changed(known, unknown));
    expect(error).toMatchObject({
      kind: 'failed_precondition',
      reason: 'SNAPSHOT_VERSION_UNKNOWN',
      metadata: { version: '7', known: '1' },
    });
  });

  const cases: readonly (readonly [string, () => string, string])[] = [
    ['that is no snapshot', () => 'PK\n', 'line 1: is not {"spearSnapshot":1'],
    ['that is empty', () => '', 'line 1: is missing'],
    ['that was reformatted', () => JSON.stringify(JSON.parse(whole), null, 2), 'line 1: is not {'],
    [
      'that was written anew on one line',
      () => JSON.stringify(JSON.parse(whole)),
      'line 1: ends without a line feed: the document was cut off, or is not as it was written',
    ],
    [
      'with lines that were joined',
      () => changed('},\n{"kind":"record"', '},{"kind":"record"'),
      'line 3: is not JSON',
    ],
    ['with line ends of another system', () => changed(/\n/g, '\r\n'), 'line 1'],
    ['that was cut off within a line', () => whole.slice(0, -200), 'ends without a line feed'],
    ['that was cut off between lines', () => firstLine + lines.slice(0, 5).join(''), 'is missing'],
    ['that was cut off before its end', () => whole.slice(0, -3), 'is missing'],
    ['with more behind its end', () => `${whole}{}\n`, 'stands behind the end'],
    [
      'with parts in another order',
      () => sealed([lines[0], lines[2], lines[1]] as string[]).toString(),
      'line 3: stands where the task should',
    ],
    ['with a part twice', () => sealed([lines[0], lines[0]] as string[]).toString(), 'line 3: kind'],
    [
      'with a part that is missing',
      () => sealed(lines.filter((line) => !line.includes('"machine"'))).toString(),
      'the machine',
    ],
    [
      'with input that is missing',
      () => sealed(lines.filter((line) => !line.includes('"input"'))).toString(),
      '3 bytes of the input',
    ],
    ['with more input than it said', () => changed('"inputBytes":3', '"inputBytes":2'), 'more bytes'],
    [
      'with a field that is not known',
      () => changed('"cancelOnDisconnect"', '"more":1,"cancelOnDisconnect"'),
      'record.record.more is not known',
    ],
    ['without a field', () => changed('"mode":"async",', ''), 'record.record.mode is missing'],
    [
      'with a number that cannot be',
      () => changed('"attempt":1,"instanceId"', '"attempt":-1,"instanceId"'),
      'record.record.attempt is "-1"',
    ],
    [
      'with a status that is none',
      () => changed('"status":"running","state"', '"status":"asleep","state"'),
      'record.record.status',
    ],
    [
      'with a state of another status',
      () => changed('"state":"running.attempting"', '"state":"pending.queued"'),
      'record.record.state',
    ],
    ['with an event that is missing', () => changed('"sequence":3', '"sequence":4'), 'event 4 where 3'],
    ['with an event twice', () => changed('"sequence":4', '"sequence":3'), 'event 3 where 4'],
    [
      'with more events than its record',
      () => changed('"lastSequence":4', '"lastSequence":3'),
      'ends with 3',
    ],
    [
      'with fewer events than its record',
      () => changed('"lastSequence":4', '"lastSequence":5'),
      'ends with 5',
    ],
    [
      'with other output than its record',
      () => changed('"outputBytes":2', '"outputBytes":3'),
      'bytes of output',
    ],
    ['with bytes that are no base64', () => changed('"data":"eA=="', '"data":"e*=="'), 'base64'],
    [
      'with an artifact outside the limits of registration',
      () => changed('"maxAttempts":1', '"maxAttempts":1001'),
      'maxAttempts',
    ],
    ['with a relative host folder', () => changed('"preopens":{}', '"preopens":{"/a":"etc"}'), 'preopens./a'],
    ['with a patch that is no JSON', () => changed('{\\"attempt\\":1}', '{'), 'contextPatch is not JSON'],
  ];

  test.each(cases)('%s', (_name, document, says) => {
    const error = refusal(document());
    expect(error).toMatchObject({ kind: 'invalid_argument', reason: 'SNAPSHOT_DAMAGED' });
    expect(error.message).toContain(says);
    expect(error.message).toMatch(/line \d+/);
  });

  test('with a line that never ends, before all of it is kept', () => {
    const document = Buffer.concat([Buffer.from(firstLine), Buffer.alloc(2 * 1024 * 1024, 97)]);
    expect(refusal(document).message).toContain('line 2: is longer than 1048576 bytes');
  });
});

test('no damage makes the reader throw anything but a refusal', () => {
  const document = sealed(linesOf(partsWith({ input: Buffer.from('in'), chunks: [Buffer.from('out')] })));
  const damage = fc.record({
    at: fc.nat(document.byteLength - 1),
    remove: fc.nat(20),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc
        .constantFrom(
          ...['null', '{}', '[]', '-1', '1e999', '"__proto__":{}', '\n', '},\n', '9007199254740993'],
        )
        .map((text) => Buffer.from(text)),
    ),
  });
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
      let broken: Buffer = document;
      for (const { at, remove, insert } of damages) {
        broken = Buffer.concat([broken.subarray(0, at), insert, broken.subarray(at + remove)]);
      }
      try {
        readAll(broken);
      } catch (error) {
        expect(error).toBeInstanceOf(RequestError);
      }
    }),
    { numRuns: 1500 },
  );
});

test('no JSON in the place of a part makes the reader throw anything but a refusal', () => {
  const lines = linesOf(partsWith({ chunks: [Buffer.from('out')] }));
  fc.assert(
    fc.property(fc.nat(lines.length - 1), fc.object({ maxDepth: 3 }), (at, value) => {
      const kind = (JSON.parse((lines[at] ?? '').slice(0, -2)) as { kind: string }).kind;
      const other = `${JSON.stringify({ ...value, kind })},\n`;
      const broken = lines.map((line, index) => (index === at ? other : line));
      expect(() => readAll(sealed(broken))).toThrow(RequestError);
    }),
    { numRuns: 500 },
  );
});
