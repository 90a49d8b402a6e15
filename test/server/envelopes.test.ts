/** Messages in envelopes, however the network cuts them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RequestError } from '../../src/domain/errors.ts';
import { Base64Parts, Envelopes, envelope } from '../../src/server/connect/envelopes.ts';

const tooLarge = () => new RequestError('resource_exhausted', 'too large', { reason: 'REQUEST_TOO_LARGE' });
const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 });

/** What comes, in parts that are as long as `cuts` say, over and over. */
function* parts(whole: Buffer, cuts: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < whole.byteLength; turn += 1) {
    const length = cuts[turn % cuts.length] ?? 1;
    yield whole.subarray(at, at + length);
    at += length;
  }
}
const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });

describe('envelopes', () => {
  it('give the messages that were put in, wherever they are cut', () => {
    fc.assert(
      fc.property(messages, cuts, (sent, lengths) => {
        const envelopes = new Envelopes(40, tooLarge);
        const whole = Buffer.concat(sent.map((message) => envelope(0, message)));
        const seen = [...parts(whole, lengths)].flatMap((part) => [...envelopes.push(part)]);
        envelopes.end();
        expect(seen.map((message) => [...message])).toEqual(sent.map((message) => [...message]));
      }),
    );
  });

  it('refuse a message by its length, before a byte of it is here', () => {
    const envelopes = new Envelopes(40, tooLarge);
    const head = envelope(0, Buffer.alloc(41)).subarray(0, 5);
    expect(() => [...envelopes.push(head)]).toThrow('too large');
  });

  it('refuse one that is compressed, or has flags that nobody knows', () => {
    for (const flags of [1, 2, 0x80, 0xff]) {
      const envelopes = new Envelopes(40, tooLarge);
      expect(() => [...envelopes.push(envelope(flags, Buffer.from('a')))]).toThrow(/compressed|flags/);
    }
  });

  it('are not whole where they end within a head or a message', () => {
    const whole = envelope(0, Buffer.from('abc'));
    for (let length = 1; length < whole.byteLength; length += 1) {
      const envelopes = new Envelopes(40, tooLarge);
      expect([...envelopes.push(whole.subarray(0, length))]).toEqual([]);
      expect(() => envelopes.end()).toThrow('ends within a message');
    }
  });
});

describe('base64 in parts', () => {
  it('gives the bytes that were put in, padded anywhere and cut anywhere', () => {
    fc.assert(
      fc.property(messages, cuts, (sent, lengths) => {
        const base64 = new Base64Parts();
        const text = sent.map((part) => Buffer.from(part).toString('base64')).join('');
        const seen = [...parts(Buffer.from(text), lengths)].map((part) => base64.push(part));
        base64.end();
        expect(Buffer.concat(seen)).toEqual(Buffer.concat(sent));
      }),
    );
  });

  it('refuses what is none, and what is not whole', () => {
    expect(() => new Base64Parts().push(Buffer.from('AAA*'))).toThrow('no base64');
    expect(() => new Base64Parts().push(Buffer.from('A=AA'))).toThrow('no base64');
    const base64 = new Base64Parts();
    base64.push(Buffer.from('AAAAA'));
    expect(() => base64.end()).toThrow('ends within');
  });
});
