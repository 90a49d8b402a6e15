import { durationMs } from '@bufbuild/protobuf/wkt';
import { quote } from '../domain/errors.ts';
import type { QueueGate } from '../server/gen/spearlet/gate_pb.js';
import { durationText } from './duration.ts';

/** `concurrency metadata.user "a": 2`, `rate tenant "x": 100 in 1m, at most 20 at once`. */
export function gateText({ kind, key, value, limit, per, burst }: QueueGate): string {
  const what = [kind, key, ...(value === '' ? [] : [quote(value)])].filter((part) => part !== '').join(' ');
  if (per === undefined) return `${what}: ${limit}`;
  return `${what}: ${limit} in ${durationText(durationMs(per))}, at most ${burst} at once`;
}
