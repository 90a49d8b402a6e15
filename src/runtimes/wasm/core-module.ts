import {
  ByteReader,
  encodeSection,
  encodeU32,
  joinBytes,
  MalformedWasm,
  RefusedFeature,
  type Section,
  sectionsOf,
} from './binary.ts';
import { type FunctionType, readReferenceType, readTypes, skipValueType } from './core-types.ts';

export interface SizeLimits {
  readonly minimum: number;
  readonly maximum?: number;
}

interface TableLimits extends SizeLimits {
  readonly type: readonly number[];
}

export type ItemKind = (typeof itemKinds)[number];

const itemKinds = ['function', 'table', 'memory', 'global', 'tag'] as const;

export interface CoreImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ItemKind;
  /** Of a function. */
  readonly type?: FunctionType;
}

export interface CoreExport {
  readonly name: string;
  readonly kind: ItemKind;
  /** Among the items of its kind, imported ones first. */
  readonly index: number;
}

/** What a core module declares; its code is `code-section.ts`. */
export interface CoreModule {
  /** In pages of 64 KiB; at most one. */
  readonly memories: readonly SizeLimits[];
  /** In entries. */
  readonly tables: readonly TableLimits[];
  readonly imports: readonly CoreImport[];
  readonly exports: readonly CoreExport[];
  readonly types: readonly FunctionType[];
  /** The type index of each function, imported ones first. */
  readonly functions: readonly number[];
  /** The type index of each exception tag, imported ones first. */
  readonly tags: readonly number[];
  /** Instantiating it calls one of its functions. */
  readonly hasStart: boolean;
  readonly code: Section | undefined;
}

const sectionIds = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  export: 7,
  start: 8,
  code: 10,
  tag: 13,
} as const;

/** Reads what a core module declares, and throws RefusedFeature for what the gate cannot bound. */
export function readCoreModule(bytes: Uint8Array): CoreModule {
  const module = {
    memories: [] as SizeLimits[],
    tables: [] as TableLimits[],
    imports: [] as CoreImport[],
    exports: [] as CoreExport[],
    types: [] as readonly FunctionType[],
    functions: [] as number[],
    tags: [] as number[],
    hasStart: false,
    code: undefined as Section | undefined,
  };
  for (const section of sectionsOf(bytes)) {
    const reader = new ByteReader(bytes, section.from, section.to);
    if (section.id === sectionIds.type) {
      if (module.types.length > 0) throw new MalformedWasm('two type sections in one module');
      module.types = readTypes(reader);
    } else if (section.id === sectionIds.import) {
      for (let left = reader.u32(); left > 0; left -= 1) readImport(reader, module);
    } else if (section.id === sectionIds.function) {
      for (let left = reader.u32(); left > 0; left -= 1) module.functions.push(reader.u32());
    } else if (section.id === sectionIds.table) {
      for (let left = reader.u32(); left > 0; left -= 1) module.tables.push(readTable(reader));
    } else if (section.id === sectionIds.memory) {
      for (let left = reader.u32(); left > 0; left -= 1) module.memories.push(readLimits(reader, 'memory'));
    } else if (section.id === sectionIds.tag) {
      for (let left = reader.u32(); left > 0; left -= 1) module.tags.push(readTag(reader));
    } else if (section.id === sectionIds.export) {
      for (let left = reader.u32(); left > 0; left -= 1) module.exports.push(readExport(reader));
    } else if (section.id === sectionIds.start) module.hasStart = true;
    else if (section.id === sectionIds.code) module.code = section;
  }
  const imported = module.imports.filter(({ kind }) => kind === 'memory').length;
  if (imported + module.memories.length > 1) throw new RefusedFeature('several memories in one module');
  return module;
}

function readImport(
  reader: ByteReader,
  into: {
    readonly types: readonly FunctionType[];
    readonly imports: CoreImport[];
    readonly functions: number[];
    readonly tags: number[];
  },
): void {
  const module = safeName(reader.name());
  const name = safeName(reader.name());
  const kind = readKind(reader);
  if (kind === 'function') {
    const index = reader.u32();
    const type = into.types[index];
    if (type === undefined) throw new MalformedWasm(`no type ${index} for the import ${module}.${name}`);
    into.functions.push(index);
    into.imports.push({ module, name, kind, type });
    return;
  }
  if (kind === 'table') readTable(reader);
  else if (kind === 'memory') readLimits(reader, 'memory');
  else if (kind === 'tag') into.tags.push(readTag(reader));
  else {
    skipValueType(reader);
    reader.skip(1);
  }
  into.imports.push({ module, name, kind });
}

function readExport(reader: ByteReader): CoreExport {
  return { name: safeName(reader.name()), kind: readKind(reader), index: reader.u32() };
}

function readTag(reader: ByteReader): number {
  reader.skip(1);
  return reader.u32();
}

function readKind(reader: ByteReader): ItemKind {
  const kind = itemKinds[reader.byte()];
  if (kind === undefined) throw new MalformedWasm(`an unknown kind of item at byte ${reader.position - 1}`);
  return kind;
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
