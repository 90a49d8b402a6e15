/**
 * Where the processor time of a call goes, layer by layer: the node's main thread is profiled while it answers sync
 * no-ops, at 256 and at 1 in flight. Wants h2load. The profiler itself takes a tenth or so.
 *
 *     node bench/layers.ts
 */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { connect } from '../src/client/channel.ts';
import { ExecutionMode, InvokeFunctionRequestSchema } from '../src/server/gen/spearlet/function_pb.js';
import { InstancePolicy } from '../src/server/gen/spearlet/task_pb.js';
import { invokePath, register } from './calls.ts';
import { load } from './h2load.ts';
import { startSpear } from './server.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string };
  readonly children?: readonly number[];
}

/** As V8 writes it; times in microseconds. */
interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const idle = 'idle';
const packages: readonly (readonly [part: string, layer: string])[] = [
  ['/node_modules/xstate/', 'XState'],
  ['/node_modules/@grpc/', 'grpc-js'],
  ['/node_modules/@bufbuild/', 'protobuf'],
  ['/node_modules/', 'other packages'],
];

/** Of a frame by itself; undefined for what works for whoever called it. */
function layerOf({ callFrame: { functionName, url } }: ProfileNode): string | undefined {
  if (functionName === '(idle)') return idle;
  if (functionName === '(garbage collector)') return 'garbage collection';
  if (functionName === '(program)') return 'native code';
  for (const [part, layer] of packages) if (url.includes(part)) return layer;
  if (/^node:.*(?:http2|stream|net)/.test(url)) return 'http2 and sockets of Node';
  return /\/(src\/(?:actors\/\w+|\w+))\//.exec(url)?.[1];
}

/** Microseconds of each layer, but for what is idle. */
function layersIn({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])));
  const layers = new Map<number, string>();
  for (const { id } of nodes) {
    let layer: string | undefined;
    for (let at: number | undefined = id; at !== undefined && layer === undefined; at = parents.get(at)) {
      const node = byId.get(at);
      layer = node && layerOf(node);
    }
    layers.set(id, layer ?? 'Node itself');
  }
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const layer = layers.get(id) ?? '';
    if (layer !== idle) times.set(layer, (times.get(layer) ?? 0) + (timeDeltas[index] ?? 0));
  }
  return times;
}

/** The main thread's is the largest: no other thread does as much. */
async function mainProfile(folder: string): Promise<Profile> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.cpuprofile'));
  const sizes = await Promise.all(
    names.map(async (name) => ({ path: join(folder, name), size: (await stat(join(folder, name))).size })),
  );
  const [largest] = sizes.sort((a, b) => b.size - a.size);
  if (largest === undefined) throw new Error('the server wrote no profile');
  return JSON.parse(await readFile(largest.path, 'utf8')) as Profile;
}

const message = toBinary(
  InvokeFunctionRequestSchema,
  create(InvokeFunctionRequestSchema, {
    task: 'noop',
    functionName: 'noop',
    executionMode: ExecutionMode.SYNC,
  }),
);

/** Microseconds in all. */
async function profiled(requests: number, inFlight: number): Promise<Map<string, number>> {
  const folder = await mkdtemp(join(tmpdir(), 'spear-bench-profile-'));
  const flags = ['--cpu-prof', '--cpu-prof-interval=500', `--cpu-prof-dir=${folder}`];
  const spear = await startSpear({ SPEAR_SLOTS: '256', SPEAR_QUEUE_LIMIT: '100000' }, undefined, flags);
  const connection = connect(spear.grpcAddress);
  await register(connection, 'noop', 'noop/noop.wasm', InstancePolicy.REUSED);
  connection.close();
  await load({ address: spear.grpcAddress, path: invokePath, message, requests, inFlight });
  await spear.stop();
  const layers = layersIn(await mainProfile(folder));
  await rm(folder, { recursive: true });
  return layers;
}

/** Microseconds a call, without what a start and the first calls take: those of a second server are taken away. */
async function steady(requests: number, inFlight: number): Promise<Map<string, number>> {
  const first = requests / 5;
  const before = await profiled(first, inFlight);
  const all = await profiled(requests, inFlight);
  return new Map(
    [...all].map(([layer, us]) => [layer, (us - (before.get(layer) ?? 0)) / (requests - first)]),
  );
}

const many = await steady(60_000, 256);
const single = await steady(10_000, 1);
const us = (value = 0): string => value.toFixed(1);
console.log('| layer | µs a call, 256 in flight | 1 in flight |');
console.log('|---|---|---|');
for (const [layer, time] of [...many].sort(([, a], [, b]) => b - a)) {
  if (time >= 0.5) console.log(`| ${layer} | ${us(time)} | ${us(single.get(layer))} |`);
}
const total = (of: ReadonlyMap<string, number>): number =>
  [...of.values()].reduce((sum, each) => sum + each, 0);
console.log(`| all | ${us(total(many))} | ${us(total(single))} |`);
