import { ByteReader, encodeSection, encodeU32, joinBytes, MalformedWasm, sectionsOf } from './binary.ts';

/** Something in a module that the gate does not let through. `what` reads well after "uses". */
export class RefusedFeature extends Error {
  override readonly name = 'RefusedFeature';
}

export interface SizeLimits {
  readonly minimum: number;
  readonly maximum?: number;
}

interface TableLimits extends SizeLimits {
  readonly type: readonly number[];
}

/** What a core module defines that can grow, and the names that it is linked by. */
export interface CoreModule {
  /** In pages of 64 KiB; at most one. */
  readonly memories: readonly SizeLimits[];
  /** In entries. */
  readonly tables: readonly TableLimits[];
  readonly imports: readonly { readonly module: string; readonly name: string }[];
  readonly exports: readonly string[];
}

const sectionIds = { type: 1, import: 2, table: 4, memory: 5, export: 7 } as const;

/** Reads what the gate must know of a core module, and throws RefusedFeature for what it cannot bound. */
export function readCoreModule(bytes: Uint8Array): CoreModule {
  const memories: SizeLimits[] = [];
  const tables: TableLimits[] = [];
  const imports: { module: string; name: string }[] = [];
  const exports: string[] = [];
  let memoryCount = 0;
  for (const section of sectionsOf(bytes)) {
    const reader = new ByteReader(bytes, section.from, section.to);
    if (section.id === sectionIds.type) {
      checkTypes(reader);
    } else if (section.id === sectionIds.import) {
      for (let left = reader.u32(); left > 0; left -= 1) {
        const entry = { module: safeName(reader.name()), name: safeName(reader.name()) };
        memoryCount += skipImportType(reader);
        imports.push(entry);
      }
    } else if (section.id === sectionIds.table) {
      for (let left = reader.u32(); left > 0; left -= 1) tables.push(readTable(reader));
    } else if (section.id === sectionIds.memory) {
      for (let left = reader.u32(); left > 0; left -= 1) memories.push(readLimits(reader, 'memory'));
    } else if (section.id === sectionIds.export) {
      for (let left = reader.u32(); left > 0; left -= 1) {
        exports.push(safeName(reader.name()));
        reader.skip(1);
        reader.skipNumber();
      }
    }
  }
  if (memoryCount + memories.length > 1) throw new RefusedFeature('several memories in one module');
  return { memories, tables, imports, exports };
}

/** The module with these maxima on the memories and tables that it defines; everything else byte for byte. */
export function capCoreModule(
  bytes: Uint8Array,
  memories: readonly Required<SizeLimits>[],
  tables: readonly (Required<SizeLimits> & { readonly type: readonly number[] })[],
): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const section of sectionsOf(bytes)) {
    if (section.id === sectionIds.memory) {
      parts.push(
        encodeSection(section.id, [...encodeU32(memories.length), ...memories.flatMap(encodeLimits)]),
      );
    } else if (section.id === sectionIds.table) {
      const entries = tables.flatMap((table) => [...table.type, ...encodeLimits(table)]);
      parts.push(encodeSection(section.id, [...encodeU32(tables.length), ...entries]));
    } else {
      parts.push(bytes.subarray(section.start, section.to));
    }
  }
  return joinBytes(parts);
}

function encodeLimits(limits: Required<SizeLimits>): number[] {
  return [1, ...encodeU32(limits.minimum), ...encodeU32(limits.maximum)];
}

/**
 * jco writes these names into JavaScript source without escaping them (0.15.0: a quote in a core import name
 * ends the string and what follows runs on the host), so a name that could leave a string literal never reaches it.
 */
function safeName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/['"`\\\u0000-\u001f\u007f-\u009f\u2028\u2029]|\$\{/.test(name)) {
    throw new RefusedFeature(
      `a name with quotes, backslashes or control characters (${JSON.stringify(name.slice(0, 40))})`,
    );
  }
  return name;
}

/** Only function types: structs and arrays live on the garbage-collected heap, which has no bound per instance. */
function checkTypes(reader: ByteReader): void {
  for (let left = reader.u32(); left > 0; left -= 1) {
    const form = reader.byte();
    if (form !== 0x60) {
      throw new RefusedFeature(
        form === 0x5d ? 'stack switching' : 'garbage-collected types (the GC proposal)',
      );
    }
    for (const _half of ['parameters', 'results']) {
      for (let values = reader.u32(); values > 0; values -= 1) skipValueType(reader);
    }
  }
}

function skipValueType(reader: ByteReader): void {
  const type = reader.byte();
  if (type >= 0x7b && type <= 0x7f) return;
  readReferenceType(reader, type);
}

/** The bytes of a reference type whose first byte was read. */
function readReferenceType(reader: ByteReader, first: number): number[] {
  if (first === 0x70 || first === 0x6f || first === 0x69) return [first];
  if (first === 0x63 || first === 0x64) {
    const from = reader.position;
    reader.skipNumber();
    return [first, ...reader.bytes.subarray(from, reader.position)];
  }
  if (first >= 0x65 && first <= 0x74) throw new RefusedFeature('garbage-collected types (the GC proposal)');
  throw new MalformedWasm(`an unknown type 0x${first.toString(16)} at byte ${reader.position - 1}`);
}

function readTable(reader: ByteReader): TableLimits {
  const first = reader.byte();
  if (first === 0x40)
    throw new RefusedFeature('tables with an initial value (the function references proposal)');
  const type = readReferenceType(reader, first);
  return { type, ...readLimits(reader, 'table') };
}

function readLimits(reader: ByteReader, what: 'memory' | 'table'): SizeLimits {
  const flags = reader.byte();
  if (flags & 0x02) throw new RefusedFeature(`shared ${what === 'memory' ? 'memory (threads)' : 'tables'}`);
  if (flags & 0x04) throw new RefusedFeature(what === 'memory' ? 'memory64' : 'table64');
  if (flags & 0x08) throw new RefusedFeature('custom page sizes');
  if (flags > 1)
    throw new MalformedWasm(`unknown limits 0x${flags.toString(16)} at byte ${reader.position - 1}`);
  const minimum = reader.u32();
  return flags === 1 ? { minimum, maximum: reader.u32() } : { minimum };
}

/** How many memories the import is. */
function skipImportType(reader: ByteReader): number {
  const kind = reader.byte();
  if (kind === 0x00) reader.skipNumber();
  else if (kind === 0x01) readTable(reader);
  else if (kind === 0x02) readLimits(reader, 'memory');
  else if (kind === 0x03) {
    skipValueType(reader);
    reader.skip(1);
  } else if (kind === 0x04) {
    reader.skip(1);
    reader.skipNumber();
  } else throw new MalformedWasm(`an unknown kind of import at byte ${reader.position - 1}`);
  return kind === 0x02 ? 1 : 0;
}
