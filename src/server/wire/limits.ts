import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import { invalidArgument } from '../../domain/errors.ts';
import type { Limits } from '../../domain/task.ts';
import type { LimitsSchema, Limits as WireLimits } from '../gen/spearlet/task_pb.js';
import { positiveDuration } from './fields.ts';

const field = 'definition.limits';
const leastMemory = 64 * 1024;
const mostBytes = 2 ** 40;
const leastCpuTimeMs = 1000;

/** Only what the definition names. */
export function limitsFromWire(limits: WireLimits | undefined): Partial<Limits> {
  const memory = bounded(`${field}.memory`, limits?.memory, leastMemory, mostBytes);
  const cpu = within(`${field}.cpu`, limits?.cpu, 0.01, 1024);
  const cpuTimeMs = positiveDuration(`${field}.cpu_time`, limits?.cpuTime);
  const processes = within(`${field}.processes`, limits?.processes, 1, 1_000_000);
  const openFiles = within(`${field}.open_files`, limits?.openFiles, 16, 1_000_000);
  const fileSize = bounded(`${field}.file_size`, limits?.fileSize, 0, mostBytes);
  const maxOutputBytes = bounded(`${field}.max_output_bytes`, limits?.maxOutputBytes, 0, mostBytes);
  const maxOutputEvents = bounded(`${field}.max_output_events`, limits?.maxOutputEvents, 1, 10_000_000);
  if (cpuTimeMs !== undefined && cpuTimeMs < leastCpuTimeMs) {
    throw invalidArgument(`${field}.cpu_time`, `is ${cpuTimeMs} ms; allowed is 1 s or more`);
  }
  return {
    ...(maxOutputBytes !== undefined && { maxOutputBytes }),
    ...(maxOutputEvents !== undefined && { maxOutputEvents }),
    ...(memory !== undefined && { memory }),
    ...(cpu !== undefined && { cpu }),
    ...(cpuTimeMs !== undefined && { cpuTimeMs }),
    ...(processes !== undefined && { processes }),
    ...(openFiles !== undefined && { openFiles }),
    ...(fileSize !== undefined && { fileSize }),
  };
}

export function limitsToWire(limits: Limits): MessageInitShape<typeof LimitsSchema> {
  const { memory, cpu, cpuTimeMs, processes, openFiles, fileSize } = limits;
  return {
    maxOutputBytes: BigInt(limits.maxOutputBytes),
    maxOutputEvents: BigInt(limits.maxOutputEvents),
    ...(memory !== undefined && { memory: BigInt(memory) }),
    ...(cpu !== undefined && { cpu }),
    ...(cpuTimeMs !== undefined && { cpuTime: durationFromMs(cpuTimeMs) }),
    ...(processes !== undefined && { processes }),
    ...(openFiles !== undefined && { openFiles }),
    ...(fileSize !== undefined && { fileSize: BigInt(fileSize) }),
  };
}

/** Throws invalid_argument where a number that is given is out of bounds; NaN always is. */
export function within(path: string, value: number, least: number, most: number): number;
export function within(
  path: string,
  value: number | undefined,
  least: number,
  most: number,
): number | undefined;
export function within(
  path: string,
  value: number | undefined,
  least: number,
  most: number,
): number | undefined {
  if (value === undefined || (value >= least && value <= most)) return value;
  throw invalidArgument(path, `is ${value}; allowed is ${least} to ${most}`);
}

export function bounded(
  path: string,
  value: bigint | undefined,
  least: number,
  most: number,
): number | undefined {
  if (value === undefined) return undefined;
  if (value < BigInt(least) || value > BigInt(most)) {
    throw invalidArgument(path, `is ${value}; allowed is ${least} to ${most}`);
  }
  return Number(value);
}
