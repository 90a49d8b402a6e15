/**
 * What it costs to know a caller: a JWT that was seen before, and a call with a token, and over TLS, against the same
 * without.
 *
 *     node bench/access.ts [ROUNDS]
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/actors/time/system-clock.ts';
import { connect } from '../src/client/channel.ts';
import { CallerAuthenticator } from '../src/server/access/authenticator.ts';
import { FailedAttempts } from '../src/server/access/failed-attempts.ts';
import { JwtKeys } from '../src/server/access/jwt-keys.ts';
import { JwtVerifier } from '../src/server/access/jwt-verifier.ts';
import { ExecutionMode } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { audience, issuerName, keySet, newKey, signed, usualClaims } from '../test/support/issuer.ts';
import { invocation, invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { processorTime } from './processor-time.ts';
import { inTurn, pairRow } from './rounds.ts';
import { type BenchServer, startSpear } from './server.ts';
import { printTable, type Row } from './table.ts';

/** The header is a new text with each call, as it is off the wire. */
async function jwtRow(): Promise<Row> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-jwks-'));
  try {
    const key = newKey('bench');
    await writeFile(join(folder, 'jwks.json'), keySet(key));
    const keys = new JwtKeys(join(folder, 'jwks.json'), systemClock, { changed: () => {}, failed: () => {} });
    await keys.open();
    const claims = { tenantClaim: 'spear_tenant', roleClaim: 'spear_role', tasksClaim: 'spear_tasks' };
    const rules = { issuer: issuerName, audience, allowAdmin: false, ...claims };
    const authenticator = new CallerAuthenticator({
      tokens: { find: () => undefined, findByCertificate: () => '' },
      signed: new JwtVerifier(rules, keys, systemClock, () => {}),
      anonymous: { name: 'anonymous', role: undefined, anonymous: true },
      failures: new FailedAttempts(systemClock, { refused: () => {} }),
    });
    const bytes = Buffer.from(`Bearer ${signed(key, usualClaims())}`);
    await authenticator.authenticate({ authorization: bytes.toString(), address: '127.0.0.1' });
    const times = 200_000;
    const texts = Array.from({ length: times }, () => bytes.toString('latin1'));
    const since = performance.now();
    for (const authorization of texts)
      void authenticator.authenticate({ authorization, address: '127.0.0.1' });
    const us = ((performance.now() - since) * 1000) / times;
    keys.close();
    const what = 'a JWT that was seen before, µs';
    return { what, spear: us.toFixed(2), limit: '5', ratio: us / 5, goal: '<= 1' };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const requests = 5000;

interface Measured {
  readonly requestsPerSecond: number;
  /** Of the node's processor, for each call: it drifts less than the rate where others use the machine. */
  readonly us: number;
}

async function callRows(rounds: number): Promise<Row[]> {
  const options = { SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' };
  const [plain, secure] = await Promise.all([
    startSpear(options),
    startSpear({ ...options, SPEAR_TLS_SELF_SIGNED: 'true' }),
  ]);
  try {
    for (const server of [plain, secure]) await prepared(server);
    const measured = (server: BenchServer, token: boolean) => async () => {
      const before = processorTime(server.pid).all;
      const { requestsPerSecond } = await load({
        ...{
          address: server.grpcAddress,
          path: invokePath,
          message: invocation(ExecutionMode.SYNC),
          requests,
        },
        ...{ inFlight: 256, tls: server === secure },
        ...(token && server.credentials.token !== undefined && { token: server.credentials.token }),
      });
      return { requestsPerSecond, us: (processorTime(server.pid).all - before) / requests };
    };
    const rowsOf = async (
      name: string,
      limit: () => Promise<Measured>,
      own: () => Promise<Measured>,
      goal: string,
    ) => {
      const pairs = await inTurn(limit, own, (measure) => measure(), rounds);
      const rates = pairs.map(([one, other]) => [one.requestsPerSecond, other.requestsPerSecond] as const);
      const times = pairs.map(([one, other]) => [one.us, other.us] as const);
      return [pairRow(`${name}, calls/s`, rates, goal), pairRow(`${name}, processor time, µs`, times, '')];
    };
    return [
      ...(await rowsOf(
        'sync no-op, 256 in flight, with a token, against without',
        measured(plain, false),
        measured(plain, true),
        '>= 0.95',
      )),
      ...(await rowsOf(
        'the same, with a token over TLS, against in the clear',
        measured(plain, true),
        measured(secure, true),
        '>= 0.75',
      )),
    ];
  } finally {
    await Promise.all([plain.stop(), secure.stop()]);
  }
}

async function prepared(server: BenchServer): Promise<void> {
  const connection = connect(server.grpcAddress, server.credentials);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
}

const rounds = Number(process.argv[2] ?? 3);
printTable([await jwtRow(), ...(await callRows(rounds))]);
