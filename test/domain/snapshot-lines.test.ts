import { expect, test } from 'vitest';
import { Lines } from '../../src/domain/snapshot/lines.ts';

test('lines that come byte by byte are whole, however many pieces they have', () => {
  const lines = new Lines(10_000);
  const text = Buffer.from(`${'abc'.repeat(1500)}\nd\n`);
  const found: string[] = [];
  for (const byte of text) {
    for (const line of lines.push(Uint8Array.of(byte))) found.push(Buffer.from(line).toString());
  }
  lines.end();
  expect(found).toEqual([`${'abc'.repeat(1500)}\n`, 'd\n']);
  expect(lines.count).toBe(2);
});
