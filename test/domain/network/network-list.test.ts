import { describe, expect, it } from 'vitest';
import {
  destinationPattern,
  opensInside,
  parseDestination,
} from '../../../src/domain/network/destination.ts';
import { NetworkList } from '../../../src/domain/network/network-list.ts';

const own = { ports: [8080], addresses: () => ['203.0.113.7', '10.1.2.3', '8.8.4.4', 'fe80::1%eth0', '::1'] };

function refusal(entries: readonly string[], address: string, port = 443, name?: string) {
  return new NetworkList(entries, own).refusal({ address, port, ...(name !== undefined && { name }) });
}

describe('a destination', () => {
  it.each([
    'public',
    'example.com',
    'example.com:443',
    'Example.COM',
    'a_b.example',
    '*.example.com',
    '*.example.com:8443',
    '10.0.0.0/8',
    '10.0.0.0/8:5432',
    '10.0.0.1:80',
    '::1',
    'fd00::/8',
    '[fd00::/8]:443',
    '[::1]:80',
  ])('is %s', (text) => {
    expect(parseDestination(text)).toBeDefined();
    expect(destinationPattern.test(text)).toBe(true);
  });

  it.each([
    '',
    '*',
    '*.',
    'public:80',
    'http://example.com',
    'example.com/path',
    'example.com:',
    'example.com:0',
    'example.com:65536',
    'user@example.com',
    'a..b',
    '-a.example',
    'a*.example',
    '*.*.example',
    '*.10.0.0.1',
    '300.0.0.0/8',
    '10.0.0.0/33',
    '10.0.0.0/',
    '127.1',
    '0177.0.0.1',
    '0x7f000001',
    '2130706433',
    '::ffff:10.0.0.0/104',
    '64:ff9b::7f00:1',
    '2002:7f00:1::/48',
    'fd00::/129',
    '[example.com]:80',
    '[::1',
    '::1%lo',
    'two words',
    `${'a'.repeat(64)}.example`,
  ])('is not %j', (text) => {
    expect(parseDestination(text)).toBeUndefined();
  });

  it.each([
    ['public', false],
    ['localhost', false],
    ['8.8.8.0/24', false],
    ['2606:4700::/32', false],
    ['127.0.0.1', true],
    ['10.0.0.0/8', true],
    ['169.254.169.254', true],
    ['::1', true],
    ['fd00::/8', true],
    ['0.0.0.0/0', true],
    ['8.0.0.0/5', true],
    ['2000::/3', true],
    ['::/0', true],
  ])('%s opens more than public addresses: %s', (text, inside) => {
    const destination = parseDestination(text);
    if (destination === undefined) throw new Error(`${text} is none`);
    expect(opensInside(destination)).toBe(inside);
  });
});

describe('a list', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['::1%lo', 'loopback'],
    ['192.168.0.1', 'private'],
    ['fd00::1', 'private'],
    ['169.254.0.1', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['224.0.0.1', 'multicast'],
    ['203.0.113.1', 'special'],
    ['no address', 'special'],
    ['8.8.8.8', undefined],
    ['::ffff:8.8.8.8', undefined],
    ['2606:4700::1111', undefined],
  ])('of public lets a function reach %s: refused as %s', (address, rule) => {
    expect(refusal(['public'], address)).toBe(rule);
  });

  it.each([
    [['127.0.0.0/8'], '127.0.0.1', 443, undefined],
    [['127.0.0.0/8'], '::ffff:127.0.0.1', 443, undefined],
    [['127.0.0.0/8'], '0.0.0.0', 443, 'loopback'],
    [['127.0.0.0/8'], '::1', 443, 'loopback'],
    [['127.0.0.1:5432'], '127.0.0.1', 5432, undefined],
    [['127.0.0.1:5432'], '127.0.0.1', 443, 'loopback'],
    [['10.0.0.0/8'], '10.9.9.9', 443, undefined],
    [['10.0.0.0/8'], '8.8.8.8', 443, 'unlisted'],
    [['10.0.0.0/8', 'public'], '8.8.8.8', 443, undefined],
    [['8.8.8.0/24:53'], '8.8.8.8', 53, undefined],
    [['8.8.8.0/24:53'], '8.8.8.8', 443, 'unlisted'],
    [[], '8.8.8.8', 443, 'unlisted'],
  ])('%s at %s port %i: refused as %s', (entries, address, port, rule) => {
    expect(refusal(entries, address, port)).toBe(rule);
  });

  it('opens a metadata service by its own address alone', () => {
    expect(refusal(['169.254.0.0/16'], '169.254.169.254')).toBe('metadata');
    expect(refusal(['0.0.0.0/0'], '169.254.169.254')).toBe('metadata');
    expect(refusal(['169.254.169.254'], '169.254.169.254')).toBeUndefined();
  });

  it.each([
    '127.0.0.1',
    '::1',
    '0.0.0.0',
    '::ffff:127.0.0.1',
    '10.1.2.3',
    '203.0.113.7',
    '8.8.4.4',
    '::ffff:8.8.4.4',
  ])('never opens a port of the node at %s', (address) => {
    const everything = ['public', '0.0.0.0/0', '::/0', address.includes('ffff') ? 'public' : address];
    expect(refusal(everything, address, 8080)).toBe('node');
  });

  it('takes a port for the node’s own at its machine only', () => {
    expect(refusal(['public'], '8.8.8.8', 8080)).toBeUndefined();
    expect(refusal(['10.0.0.0/8'], '10.1.2.4', 8080)).toBeUndefined();
  });

  it.each([
    ['api.example.com', true],
    ['API.Example.com.', true],
    ['a.below.example.org', true],
    ['a.b.below.example.org', true],
    ['below.example.org', false],
    ['notbelow.example.org', false],
    ['api.example.com.evil.example', false],
    ['evil-api.example.com', false],
    ['example.com', false],
  ])('of names has %s: %s', (name, known) => {
    const list = ['api.example.com:443', '*.below.example.org'];
    expect(refusal(list, '8.8.8.8', 443, name)).toBe(known ? undefined : 'unlisted');
    expect(new NetworkList(list, own).mayLookUp(name)).toBe(known);
  });

  it('opens nothing but public addresses by a name', () => {
    for (const address of ['127.0.0.1', '10.1.1.1', '169.254.169.254', '::1', 'fd00::1', '::ffff:10.0.0.1']) {
      expect(refusal(['inside.example'], address, 443, 'inside.example')).not.toBeUndefined();
    }
    expect(refusal(['inside.example', '10.0.0.0/8'], '10.1.1.1', 443, 'inside.example')).toBeUndefined();
  });

  it('opens the port of a name alone', () => {
    expect(refusal(['api.example.com:443'], '8.8.8.8', 80, 'api.example.com')).toBe('unlisted');
  });

  it('lets names be looked up that nobody is asked for', () => {
    const list = new NetworkList(['127.0.0.0/8'], own);
    expect(
      ['localhost', 'a.localhost', '10.0.0.1', 'data.evil.example'].map((name) => list.mayLookUp(name)),
    ).toEqual([true, true, true, false]);
  });

  it('lets in those that it lets the function out to', () => {
    expect(new NetworkList(['public'], own).accepts('10.0.0.9')).toBe(true);
    expect(new NetworkList(['10.0.0.0/8:5432'], own).accepts('::ffff:10.0.0.9')).toBe(true);
    expect(new NetworkList(['10.0.0.0/8'], own).accepts('8.8.8.8')).toBe(false);
    expect(new NetworkList(['api.example.com'], own).accepts('8.8.8.8')).toBe(false);
  });
});
