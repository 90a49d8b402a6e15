import { afterEach, describe, expect, it } from 'vitest';
import { mostRefusals, type NetworkRefusal } from '../../../src/domain/network/refusal.ts';
import { NetworkGate } from '../../../src/runtimes/network/gate.ts';
import { NameLookups } from '../../../src/runtimes/network/name-lookups.ts';
import { type NameServer, nameServer } from './name-server.ts';

const servers: NameServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Zone = Record<string, { ipv4?: string; ipv6?: readonly number[] }>;

async function gateAt(zone: Zone, entries: readonly string[], ownPorts = [8080]) {
  const server = await nameServer(zone);
  servers.push(server);
  const none = () => '';
  const told: NetworkRefusal[] = [];
  const gate = new NetworkGate({
    entries,
    ownPorts: () => ownPorts,
    tell: (refusal) => told.push(refusal),
    lookups: new NameLookups({ hosts: none, settings: none, servers: [server.address] }),
  });
  return { gate, told, server };
}

it('keeps what it was made for from a port of the node that is known only later', async () => {
  const ownPorts: number[] = [];
  const { gate, told } = await gateAt({}, ['127.0.0.1'], ownPorts);
  expect(gate.refuses('127.0.0.1', 8080)).toBe(false);
  ownPorts.push(8080);
  expect(gate.refuses('127.0.0.1', 8080)).toBe(true);
  expect(told).toMatchObject([{ rule: 'node' }]);
});

const denied = { code: 'EACCES' };

describe('a name', () => {
  it('is looked up once, and what is connected to is the address that was judged', async () => {
    const { gate, server } = await gateAt({ 'api.example': { ipv4: '8.8.8.8' } }, ['api.example:443']);
    expect(await gate.open('api.example', 443)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(server.asked).toEqual(['api.example']);
  });

  it('that changes its answer opens no address inside', async () => {
    const zone: Zone = { 'api.example': { ipv4: '8.8.8.8' } };
    const { gate, told } = await gateAt(zone, ['api.example']);
    await gate.open('api.example', 443);
    for (const ipv4 of ['127.0.0.1', '10.0.0.1', '169.254.169.254']) {
      zone['api.example'] = { ipv4 };
      await expect(gate.open('api.example', 443)).rejects.toMatchObject(denied);
      expect(gate.refuses(ipv4, 443)).toBe(true);
    }
    expect(told.map(({ host, address, rule }) => [host, address, rule])).toEqual([
      ['api.example', '127.0.0.1', 'loopback'],
      ['127.0.0.1', '', 'loopback'],
      ['api.example', '10.0.0.1', 'private'],
      ['10.0.0.1', '', 'private'],
      ['api.example', '169.254.169.254', 'metadata'],
      ['169.254.169.254', '', 'metadata'],
    ]);
  });

  it('with a public address and one inside is reached at the public one alone', async () => {
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1];
    const { gate, told } = await gateAt({ 'both.example': { ipv4: '8.8.8.8', ipv6: mapped } }, ['public']);
    expect(await gate.open('both.example', 80)).toEqual([{ address: '8.8.8.8', family: 4 }]);
    expect(told).toEqual([]);
    await expect(gate.open('both.example', 80, 6)).rejects.toMatchObject(denied);
  });

  it('that the list does not have is asked of nobody', async () => {
    const { gate, told, server } = await gateAt({ 'secret.evil.example': { ipv4: '8.8.8.8' } }, [
      'api.example',
    ]);
    await expect(gate.find('secret.evil.example')).rejects.toMatchObject(denied);
    expect(server.asked).toEqual([]);
    expect(told).toEqual([{ host: 'secret.evil.example', port: 0, address: '', rule: 'unlisted', more: 0 }]);
  });

  it('that the list has opens its address to a socket, at its port and until the answer is forgotten', async () => {
    const { gate } = await gateAt({ 'api.example': { ipv4: '8.8.8.8' } }, ['api.example:443']);
    expect(gate.refuses('8.8.8.8', 443)).toBe(true);
    await gate.find('api.example');
    expect(gate.refuses('8.8.8.8', 443)).toBe(false);
    expect(gate.refuses('8.8.8.8', 80)).toBe(true);
  });
});

it('refusals are told one by one up to the bound, and then counted', async () => {
  const { gate, told } = await gateAt({}, []);
  for (let port = 1; port <= 1000; port += 1) gate.refuses('127.0.0.1', port);
  expect(told).toHaveLength(mostRefusals);
  gate.end();
  expect(told.at(-1)).toEqual({ host: '', port: 0, address: '', rule: '', more: 1000 - mostRefusals });
});
