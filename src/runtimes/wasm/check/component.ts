import { ByteReader, encodeSection, encodeU32, joinBytes, RefusedFeature, sectionsOf } from './binary.ts';
import { readExternName } from './component-scope.ts';

/** What the gate must know of a component before anything else looks at it. */
export interface ComponentNames {
  /** As written: `wasi:cli/stdout@0.2.3`. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
}

const sectionIds = { import: 10, export: 11 } as const;

/** The imports and exports of a component that `checkComponent` let through. */
export function readComponent(bytes: Uint8Array): ComponentNames {
  const names = { imports: [] as string[], exports: [] as string[] };
  for (const section of sectionsOf(bytes)) {
    const reader = new ByteReader(bytes, section.from, section.to);
    if (section.id === sectionIds.import) {
      for (let left = reader.u32(); left > 0; left -= 1) {
        names.imports.push(readExternName(reader));
        skipExternType(reader);
      }
    } else if (section.id === sectionIds.export) {
      for (let left = reader.u32(); left > 0; left -= 1) names.exports.push(readExport(reader).name);
    }
  }
  return names;
}

/**
 * The component with every interface that it imports or exports under a plain name in one package
 * (`root:component/x0`), and the interface that each name stands for. For reading types only: `componentWit`
 * omits the packages of exported interfaces, and panics where an exported interface uses types of a renamed one
 * unless all are renamed alike.
 */
export function renameInterfaces(bytes: Uint8Array): {
  component: Uint8Array;
  exportNames: Map<string, string>;
} {
  const plainNames = new Map<string, string>();
  const exportNames = new Map<string, string>();
  const plainNameOf = (name: string): string => {
    if (!name.includes('/')) return name;
    const plain = plainNames.get(name) ?? `root:component/x${plainNames.size}`;
    plainNames.set(name, plain);
    return plain;
  };
  const parts: Uint8Array[] = [bytes.subarray(0, 8)];
  for (const section of sectionsOf(bytes)) {
    if (section.id !== sectionIds.import && section.id !== sectionIds.export) {
      parts.push(bytes.subarray(section.start, section.to));
      continue;
    }
    const reader = new ByteReader(bytes, section.from, section.to);
    const count = reader.u32();
    const content = encodeU32(count);
    for (let left = count; left > 0; left -= 1) {
      const { name, rest } = section.id === sectionIds.import ? readImport(reader) : readExport(reader);
      const plain = plainNameOf(name);
      if (section.id === sectionIds.export && plain !== name) exportNames.set(plain, name);
      const encoded = new TextEncoder().encode(plain);
      content.push(0x00, ...encodeU32(encoded.length), ...encoded, ...rest);
    }
    parts.push(encodeSection(section.id, content));
  }
  return { component: joinBytes(parts), exportNames };
}

function readImport(reader: ByteReader): { name: string; rest: Uint8Array } {
  const name = readExternName(reader);
  const from = reader.position;
  skipExternType(reader);
  return { name, rest: reader.bytes.subarray(from, reader.position) };
}

function readExport(reader: ByteReader): { name: string; rest: Uint8Array } {
  const name = readExternName(reader);
  const from = reader.position;
  if (reader.byte() === 0x00) reader.skip(1);
  reader.skipNumber();
  if (reader.byte() === 0x01) skipExternType(reader);
  return { name, rest: reader.bytes.subarray(from, reader.position) };
}

function skipExternType(reader: ByteReader): void {
  const kind = reader.byte();
  if (kind === 0x00) {
    reader.skip(1);
    reader.skipNumber();
  } else if (kind === 0x02 || kind === 0x03) {
    const bound = reader.byte();
    if (kind === 0x02 && bound === 0x01) throw new RefusedFeature('values in the interface of a component');
    if (kind === 0x03 && bound === 0x01) return;
    reader.skipNumber();
  } else {
    reader.skipNumber();
  }
}
