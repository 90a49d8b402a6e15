import { invalidArgument } from '../../../domain/errors.ts';
import { type CoreModule, capCoreModule, readCoreModule, type SizeLimits } from './core-module.ts';

/**
 * The gate: no core module runs unless all its memories and tables have maxima that together fit the task's
 * limit, because a table or memory without one takes the whole node down (see docs/decisions/0002-wasm-gate.md).
 *
 * 1. What all instances of all modules need at the start is counted first; more than the limit is refused.
 * 2. Of what remains, a sixteenth at most goes to the growth of tables, the rest to the growth of memories.
 * 3. Each kind's part is shared equally; what one cannot use, because of a maximum of its own, the others get.
 * 4. A module that is instantiated n times counts n times, and each instance has the same maxima.
 */
export interface GatedModule {
  readonly bytes: Uint8Array;
  /** The maximum of its memory in bytes; 0 where it has none of its own. */
  readonly memoryCap: number;
  /** Instantiating it calls no code of its own, and costs little time and memory. */
  readonly inert: boolean;
}

export interface GateInput {
  readonly bytes: Uint8Array;
  readonly instances: number;
}

export const pageBytes = 65_536;

/** What an inert module may have of memories and tables at the start, in bytes. */
const maxInertBytes = 16 * 1024 * 1024;

/** … and of imports and exports: V8 makes an object for each. */
const maxInertNames = 1000;

/** What one table entry is counted as. V8 uses about 56 bytes for a funcref (Node 26, measured). */
export const tableEntryBytes = 64;

const tableGrowthShare = 16;

interface Growing extends SizeLimits {
  readonly instances: number;
}

/**
 * @param limit bytes, `task.limits.memory`
 * @throws RequestError naming `definition.limits.memory` where the modules need more than that to start
 */
export function gateModules(modules: readonly GateInput[], limit: number): GatedModule[] {
  const read = modules.map(({ bytes, instances }) => ({ bytes, instances, module: readCoreModule(bytes) }));
  const memories = read.flatMap(({ module, instances }) =>
    module.memories.map((size) => ({ ...size, instances })),
  );
  const tables = read.flatMap(({ module, instances }) =>
    module.tables.map((size) => ({ ...size, instances })),
  );
  const needed = startBytes(memories, pageBytes) + startBytes(tables, tableEntryBytes);
  if (needed > limit) {
    throw invalidArgument(
      'definition.limits.memory',
      `${limit} bytes is less than the ${needed} that the module's memories and tables have at the start`,
    );
  }
  const forTables = Math.floor((limit - needed) / tableGrowthShare);
  const tableShare = growthShare(tables, Math.floor(forTables / tableEntryBytes));
  const tableGrowth = tables.reduce((sum, table) => sum + growth(table, tableShare) * table.instances, 0);
  const forMemories = limit - needed - tableGrowth * tableEntryBytes;
  const memoryShare = growthShare(memories, Math.floor(forMemories / pageBytes));
  return read.map(({ bytes, module }) => capModule(bytes, module, memoryShare, tableShare));
}

function capModule(
  bytes: Uint8Array,
  module: CoreModule,
  memoryShare: number,
  tableShare: number,
): GatedModule {
  const memories = module.memories.map((size) => ({
    minimum: size.minimum,
    maximum: size.minimum + growth(size, memoryShare),
  }));
  const tables = module.tables.map((size) => ({
    type: size.type,
    minimum: size.minimum,
    maximum: size.minimum + growth(size, tableShare),
  }));
  return {
    bytes: capCoreModule(bytes, memories, tables),
    memoryCap: memories.reduce((sum, size) => sum + size.maximum * pageBytes, 0),
    inert: isInert(module),
  };
}

function isInert({ hasStart, imports, exports, memories, tables }: CoreModule): boolean {
  const bytes = startBytes(memories, pageBytes) + startBytes(tables, tableEntryBytes);
  return !hasStart && bytes <= maxInertBytes && imports.length + exports.length <= maxInertNames;
}

function startBytes(sizes: readonly (SizeLimits & { readonly instances?: number })[], unit: number): number {
  return sizes.reduce((sum, { minimum, instances = 1 }) => sum + minimum * instances * unit, 0);
}

function growth(size: SizeLimits, share: number): number {
  return Math.min(room(size), share);
}

function room(size: SizeLimits): number {
  return (size.maximum ?? Number.POSITIVE_INFINITY) - size.minimum;
}

/** The most that each may grow by, so that all together grow by no more than `units`. */
function growthShare(sizes: readonly Growing[], units: number): number {
  const ascending = [...sizes].sort((a, b) => room(a) - room(b));
  let left = units;
  let takers = ascending.reduce((sum, size) => sum + size.instances, 0);
  for (const size of ascending) {
    const share = Math.floor(left / takers);
    if (room(size) >= share) return share;
    left -= room(size) * size.instances;
    takers -= size.instances;
  }
  return left;
}
