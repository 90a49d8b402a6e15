import { afterEach, describe, expect, it } from 'vitest';
import { type LookupSources, NameLookups } from '../../../src/runtimes/network/name-lookups.ts';
import { type NameServer, nameServer } from './name-server.ts';

const servers: NameServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function lookupsAt(zone: Parameters<typeof nameServer>[0], sources: LookupSources = {}) {
  const server = await nameServer(zone);
  servers.push(server);
  const none = () => '';
  return {
    server,
    lookups: new NameLookups({ hosts: none, settings: none, servers: [server.address], ...sources }),
  };
}

const zone = {
  'both.example': { ipv4: '192.0.2.1', ipv6: [0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] },
  'db.cluster.example': { ipv4: '192.0.2.2' },
  empty: {},
};

describe('a name', () => {
  it('is found with all its addresses, IPv4 first', async () => {
    const { lookups } = await lookupsAt(zone);
    expect(await lookups.find('both.example')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '2001:db8::1', family: 6 },
    ]);
  });

  it.each([
    ['there is none of', 'none.example', 'ENOTFOUND'],
    ['has no address', 'empty.', 'ENODATA'],
  ])('that %s fails so', async (_what, name, code) => {
    const { lookups } = await lookupsAt(zone);
    await expect(lookups.find(name)).rejects.toMatchObject({ code });
  });

  it('that a silent server is asked for fails as soon as it is cancelled, and not before', async () => {
    const { lookups, server } = await lookupsAt(undefined);
    const finding = lookups.find('both.example').catch((failure: unknown) => failure);
    await expect.poll(() => server.asked).toEqual(['both.example']);
    lookups.cancel();
    expect(await finding).toMatchObject({ code: 'ECANCELLED' });
  });

  it('is looked for in the search domains, those of few dots there first', async () => {
    const settings = () => 'search other.example cluster.example.\noptions ndots:2 # comment';
    const { lookups, server } = await lookupsAt(zone, { settings });
    expect(await lookups.find('db')).toEqual([{ address: '192.0.2.2', family: 4 }]);
    expect(server.asked).toEqual(['db.other.example', 'db.cluster.example']);
    await expect(lookups.find('a.b.c')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(server.asked.slice(2)).toEqual(['a.b.c', 'a.b.c.other.example', 'a.b.c.cluster.example']);
  });

  it('with a dot at its end is looked for as it is', async () => {
    const { lookups, server } = await lookupsAt(zone, { settings: () => 'search cluster.example' });
    await expect(lookups.find('db.')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(server.asked).toEqual(['db']);
  });

  it('in the hosts file is asked of nobody', async () => {
    const hosts = () =>
      '# 10.0.0.9 commented\n10.0.0.1\tOne one.example # first\nnonsense one\nfd00::1 one\n';
    const { lookups, server } = await lookupsAt(zone, { hosts });
    expect(await lookups.find('ONE')).toEqual([
      { address: '10.0.0.1', family: 4 },
      { address: 'fd00::1', family: 6 },
    ]);
    expect(server.asked).toEqual([]);
  });

  it.each(['localhost', 'a.localhost', 'localhost.'])(
    '%s is loopback, whatever servers say',
    async (name) => {
      const { lookups, server } = await lookupsAt(zone);
      expect(await lookups.find(name)).toEqual([
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]);
      expect(server.asked).toEqual([]);
    },
  );
});
