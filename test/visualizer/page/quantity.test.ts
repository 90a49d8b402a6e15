import { expect, test } from 'vitest';
import { instantText, timeText } from '../../../src/visualizer/page/model/quantity.ts';

test('instants are told in UTC, whatever zone the reader is in, and say so', () => {
  const instant = Date.UTC(2026, 10, 22, 23, 3, 27, 5);
  const zone = process.env.TZ;
  try {
    for (const there of ['UTC', 'Asia/Tokyo', 'America/St_Johns']) {
      process.env.TZ = there;
      expect(instantText(instant)).toBe('2026-11-22 23:03:27.005 UTC');
      expect(timeText(instant)).toBe('23:03:27.005');
    }
  } finally {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  }
});
