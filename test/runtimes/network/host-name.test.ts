import { describe, expect, it } from 'vitest';
import {
  canonicalHost,
  literalAsName,
  literalOfName,
  parseAuthority,
} from '../../../src/runtimes/network/host-name.ts';

describe('an authority', () => {
  it.each([
    ['example.com', { host: 'example.com', port: '' }],
    ['EXAMPLE.com:8080', { host: 'example.com', port: '8080' }],
    ['example.com:80', { host: 'example.com', port: '80' }],
    ['[::1]', { host: '::1', port: '' }],
    ['[::1]:8080', { host: '::1', port: '8080' }],
    ['[::ffff:1.2.3.4]:1', { host: '::ffff:102:304', port: '1' }],
    ['2130706433:1', { host: '127.0.0.1', port: '1' }],
    ['bücher.example', { host: 'xn--bcher-kva.example', port: '' }],
  ])('%s is read', (text, parts) => {
    expect(parseAuthority(text)).toEqual(parts);
  });

  it.each([
    '',
    ':80',
    '::1',
    '[::1',
    '[::1]8080',
    'a:65536',
    'a:',
    'a:b',
    'a@b',
    'a/b',
    'a?b',
    'a#b',
    'a\nb',
    'a%2eb',
    '1.2.3.4.5',
  ])('%j is refused', (text) => {
    expect(parseAuthority(text)).toBeUndefined();
  });
});

describe('a host', () => {
  it.each([
    ['::1', '::1'],
    ['[::1]', '::1'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['127.1', '127.0.0.1'],
    ['Example.COM.', 'example.com.'],
  ])('%s is %s', (text, host) => {
    expect(canonicalHost(text)).toBe(host);
  });

  it.each(['', 'a:80', '[::1]:80', '[::1]:', 'a b', ':::'])('is not %j', (text) => {
    expect(canonicalHost(text)).toBeUndefined();
  });

  it.each(['::', '::1', '2001:db8::1', '1:2:3:4:5:6:7:8'])(
    '%s stands in a name without colons',
    (address) => {
      expect(literalAsName(address)).not.toContain(':');
      expect(literalOfName(literalAsName(address))).toBe(address);
    },
  );
});
