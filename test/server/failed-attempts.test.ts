import { expect, test } from 'vitest';
import { unauthenticated } from '../../src/domain/access.ts';
import { CallerAuthenticator } from '../../src/server/access/authenticator.ts';
import { FailedAttempts } from '../../src/server/access/failed-attempts.ts';
import { FakeClock } from '../support/fake-clock.ts';

function made() {
  const clock = new FakeClock();
  const lines: { readonly address: string; readonly times: number }[] = [];
  const failures = new FailedAttempts(clock, { refused: (attempt) => void lines.push(attempt) });
  const fail = (address: string, times = 1): string[] =>
    Array.from({ length: times }, () => failures.failed(address, unauthenticated('it was wrong')).kind);
  return { clock, lines, failures, fail };
}

test('an address that fails again and again hears so, and has one more try a second', async () => {
  const { clock, failures, fail } = made();
  expect(new Set(fail('10.0.0.1', 20))).toEqual(new Set(['unauthenticated']));
  expect(new Set(fail('10.0.0.1', 5))).toEqual(new Set(['resource_exhausted']));
  expect(fail('10.0.0.2')).toEqual(['unauthenticated']);
  await clock.advance(2000);
  expect(fail('10.0.0.1', 3)).toEqual(['unauthenticated', 'unauthenticated', 'resource_exhausted']);
  expect(failures.count).toBe(29);
});

test('addresses of one IPv6 network are one, however they are written', () => {
  const { fail } = made();
  fail('2001:db8::1', 20);
  expect(fail('2001:db8:0:0:ffff::2')).toEqual(['resource_exhausted']);
  expect(fail('2001:db8:0:1::1')).toEqual(['unauthenticated']);
  fail('::ffff:10.0.0.1', 20);
  expect(fail('::ffff:10.0.0.2')).toEqual(['unauthenticated']);
});

test('the log has a line for each address in ten seconds, and few in all, which say how many there were', async () => {
  const { clock, lines, fail } = made();
  for (let host = 0; host < 50; host += 1) fail(`10.0.0.${host}`, 100);
  expect(lines).toHaveLength(10);
  await clock.advance(10_000);
  fail('10.0.0.0');
  expect(lines).toHaveLength(11);
  expect(lines.at(-1)).toMatchObject({ address: '10.0.0.0', times: 100 });
});

test('an address that has failed too often has no signature looked at, and tokens that are known go on', async () => {
  const { failures, fail } = made();
  let looked = 0;
  const known = { name: 'jwt ada', role: 'invoke' } as const;
  const authenticator = new CallerAuthenticator({
    tokens: {
      find: (token) => (token === 'mine' ? { name: 'token mine', role: 'invoke' } : undefined),
      findByCertificate: () => 'none is known',
    },
    signed: {
      known: (token) => (token === 'a.b.known' ? known : undefined),
      verify: async () => {
        looked += 1;
        throw unauthenticated('the signature is wrong');
      },
    },
    anonymous: { name: 'anonymous', role: undefined, anonymous: true },
    failures,
  });
  const asked = async (token: string) =>
    authenticator.authenticate({ authorization: `Bearer ${token}`, address: '10.0.0.1' });
  await expect(asked('a.b.c')).rejects.toMatchObject({ kind: 'unauthenticated' });
  fail('10.0.0.1', 20);
  await expect(asked('a.b.c')).rejects.toMatchObject({ kind: 'resource_exhausted' });
  expect(looked).toBe(1);
  expect((await asked('mine')).name).toBe('token mine');
  expect((await asked('a.b.known')).name).toBe('jwt ada');
});
