import { describe, expect, it } from 'vitest';
import { errno } from './errno.ts';
import { RawHost } from './raw-host.ts';

const count = 0;
const size = 4;
const pointers = 16;
const bytes = 1024;

describe.each([
  ['args', ['program', '', 'grüße'], { args: ['program', '', 'grüße'] }],
  [
    'environ',
    ['A=1', 'EMPTY=', 'E=a=b'],
    {
      environment: [
        ['A', '1'],
        ['EMPTY', ''],
        ['E', 'a=b'],
      ] as const,
    },
  ],
  ['environ', [], {}],
] as const)('%s %j', (name, strings, options) => {
  it('are told with their size, and written with a NUL after each', () => {
    const host = new RawHost(options);
    expect(host.call(`${name}_sizes_get`, count, size)).toBe(errno.success);
    expect(host.u32(count)).toBe(strings.length);
    const text = strings.map((string) => `${string}\0`).join('');
    expect(host.u32(size)).toBe(Buffer.byteLength(text));
    expect(host.call(`${name}_get`, pointers, bytes)).toBe(errno.success);
    expect(host.text(bytes, host.u32(size))).toBe(text);
    const firsts = strings.map((string, index) => {
      const at = host.u32(pointers + index * 4);
      return host.text(at, Buffer.byteLength(string) + 1);
    });
    expect(firsts).toEqual(strings.map((string) => `${string}\0`));
  });
});
