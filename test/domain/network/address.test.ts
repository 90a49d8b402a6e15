import { isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AddressKind, kindOfAddress, parseAddress } from '../../../src/domain/network/address.ts';

function kindOf(text: string): AddressKind | undefined {
  const address = parseAddress(text);
  return address === undefined ? undefined : kindOfAddress(address);
}

describe('an address', () => {
  it('is read where Node reads one, and nowhere else', () => {
    const group = fc.stringMatching(/^[0-9a-f]{0,5}$/);
    const texts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4Extended(),
      fc.array(group, { maxLength: 9 }).map((groups) => groups.join(':')),
      fc.stringMatching(/^[0-9a-f.:]{0,20}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseAddress(text)?.family ?? 0).toBe(isIP(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('of IPv4 has the same kind in every form that carries it', () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        if (!isIPv4(text)) return;
        const hex = text
          .split('.')
          .map((octet) => Number(octet).toString(16).padStart(2, '0'))
          .join('');
        const [high, low] = [hex.slice(0, 4), hex.slice(4)];
        const forms = [
          `::ffff:${text}`,
          `::ffff:${high}:${low}`,
          `64:ff9b::${text}`,
          `2002:${high}:${low}::1`,
        ];
        for (const form of forms) expect([form, kindOf(form)]).toEqual([form, kindOf(text)]);
      }),
    );
  });

  it.each<[AddressKind, string[]]>([
    ['public', ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.63.255.255', '2606:4700::1111', '2001:4860::8888']],
    ['loopback', ['127.0.0.1', '127.255.255.255', '0.0.0.0', '0.1.2.3', '::', '::1', '::127.0.0.1']],
    [
      'private',
      ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fc00::1', 'fd12::1'],
    ],
    ['link-local', ['169.254.1.1', 'fe80::1', 'febf::1']],
    ['metadata', ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254']],
    ['multicast', ['224.0.0.1', '239.255.255.255', 'ff02::1']],
    [
      'special',
      ['255.255.255.255', '192.0.2.1', '198.18.0.1', '2001:db8::1', '2001::1', 'fec0::1', '64:ff9b:1::1'],
    ],
  ])('is %s: %s', (kind, texts) => {
    expect(texts.map(kindOf)).toEqual(texts.map(() => kind));
  });

  it.each([
    '',
    '1.2.3',
    '01.2.3.4',
    '0x7f.0.0.1',
    '2130706433',
    '1.2.3.256',
    ':::',
    '1::2::3',
    '::1%lo',
    '[::1]',
  ])('is not %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});
