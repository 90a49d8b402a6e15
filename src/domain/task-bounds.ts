/** What a node lets any task have, however its definition came in: defaults where it says nothing, and an operator's caps. */
import { invalidArgument } from './errors.ts';
import type { Limits, TaskDefinition, Timeouts } from './task.ts';

/** The most that a task may ask for. */
export interface TaskCaps {
  /** Bytes: of one instance's memory, and of a container's /tmp. */
  readonly memory: number;
  /** Processor cores. */
  readonly cpu: number;
  /** Processes and threads of one instance. */
  readonly processes: number;
  /** Open files of one process. */
  readonly openFiles: number;
  /** stdout and stderr of one execution, in bytes. */
  readonly outputBytes: number;
  /** Each timeout, in milliseconds. */
  readonly timeoutMs: number;
  /** Instances that are kept ready. */
  readonly warm: number;
  /** What there is for all that run: no task can ask for more. Absent where nobody counts. */
  readonly inAll?: { readonly memory: number; readonly cpu: number };
}

const mebibyte = 1024 * 1024;

/** What the log holds every execution to where its task says nothing; the rest is each runtime's. */
const outputDefaults = { maxOutputBytes: 64 * mebibyte, maxOutputEvents: 100_000 } as const;

/** The limits of a definition with those filled in that it does not name; no default is over the caps. */
export function withDefaultLimits(
  limits: Partial<Limits>,
  ofRuntime: Partial<Limits>,
  caps: TaskCaps,
): Limits {
  const filled: Limits = { ...outputDefaults, ...ofRuntime };
  return { ...cappedLimits(filled, caps), ...limits };
}

type Bounded = Pick<TaskDefinition, 'timeouts' | 'warm' | 'container'> & { readonly limits: Partial<Limits> };

/** Throws invalid_argument that names the first field that asks for more than this node gives. */
export function checkCaps({ limits, timeouts, warm, container }: Bounded, caps: TaskCaps): void {
  for (const [name, { field, flag, most }] of Object.entries(limitCaps(caps))) {
    check(`definition.limits.${field}`, limits[name as CappedLimit], most, flag);
  }
  check('definition.container.tmpfs_size', container?.tmpfsSize, caps.memory, '--max-memory');
  for (const [name, value] of Object.entries(timeouts)) {
    check(`definition.timeouts.${name.slice(0, -2)}`, value, caps.timeoutMs, '--max-timeout', ' ms');
  }
  check('definition.warm.min', warm.min, caps.warm, '--max-warm');
}

/** A definition that is known already, as this node runs it: completed, and cut to the caps. */
export function bounded<
  Definition extends Pick<TaskDefinition, 'limits' | 'timeouts' | 'warm' | 'container'>,
>(definition: Definition, ofRuntime: Partial<Limits>, caps: TaskCaps): Definition {
  const { timeouts, warm, container } = definition;
  const asked = withDefaultLimits(definition.limits, ofRuntime, caps);
  const limits = cappedLimits(asked, caps);
  const made = {
    ...definition,
    limits,
    timeouts: cappedTimeouts(timeouts, caps),
    ...(container !== undefined && {
      container: { ...container, tmpfsSize: Math.min(container.tmpfsSize, caps.memory) },
    }),
    warm: cappedWarm(warm, caps),
  };
  askedOf.set(made, asked);
  return made;
}

const askedOf = new WeakMap<object, Limits>();

/** The limits of a definition before this node has cut them to what it has, as another may have more. */
export function limitsAsked(definition: Pick<TaskDefinition, 'limits'>): Limits {
  return askedOf.get(definition) ?? definition.limits;
}

/** Instances that are kept ready are never more than the cap; how many an idle pool may keep neither. */
export function cappedWarm(warm: TaskDefinition['warm'], caps: TaskCaps): TaskDefinition['warm'] {
  return { ...warm, min: Math.min(warm.min, caps.warm), max: Math.min(warm.max, Math.max(1, caps.warm)) };
}

type CappedLimit = 'memory' | 'cpu' | 'processes' | 'openFiles' | 'maxOutputBytes';

interface LimitCap {
  /** As the wire has it. */
  readonly field: string;
  readonly flag: string;
  readonly most: number;
}

function limitCaps(caps: TaskCaps): Readonly<Record<CappedLimit, LimitCap>> {
  return {
    memory: {
      field: 'memory',
      ...lesser(['--max-memory', caps.memory], ['--guest-memory', caps.inAll?.memory]),
    },
    cpu: { field: 'cpu', ...lesser(['--max-cpu', caps.cpu], ['--guest-processors', caps.inAll?.cpu]) },
    processes: { field: 'processes', flag: '--max-processes', most: caps.processes },
    openFiles: { field: 'open_files', flag: '--max-open-files', most: caps.openFiles },
    maxOutputBytes: { field: 'max_output_bytes', flag: '--max-output-bytes', most: caps.outputBytes },
  };
}

type Cap = readonly [flag: string, most: number | undefined];

function lesser(
  [flag, most]: readonly [string, number],
  [other, inAll]: Cap,
): Pick<LimitCap, 'flag' | 'most'> {
  return inAll !== undefined && inAll < most ? { flag: other, most: inAll } : { flag, most };
}

function cappedLimits(limits: Limits, caps: TaskCaps): Limits {
  const cut: { -readonly [Name in CappedLimit]?: number } = {};
  for (const [name, { most }] of Object.entries(limitCaps(caps)) as [CappedLimit, LimitCap][]) {
    const value = limits[name];
    if (value !== undefined && value > most) cut[name] = most;
  }
  return { ...limits, ...cut };
}

function cappedTimeouts(timeouts: Timeouts, { timeoutMs }: TaskCaps): Timeouts {
  return Object.fromEntries(
    Object.entries(timeouts).map(([name, value]) => [name, Math.min(value, timeoutMs)]),
  );
}

function check(field: string, value: number | undefined, most: number, flag: string, unit = ''): void {
  if (value === undefined || value <= most) return;
  throw invalidArgument(field, `is ${value}${unit}; this node allows at most ${most}${unit} (${flag})`);
}
