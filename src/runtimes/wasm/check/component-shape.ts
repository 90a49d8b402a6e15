import { ByteReader, layerOf, MalformedWasm, RefusedFeature, sectionsOf } from './binary.ts';
import { checkCode } from './code-section.ts';
import { type ComponentCost, type Item, readExternName, Scope } from './component-scope.ts';
import { isType, readType } from './component-types.ts';
import { readCoreModule } from './core-module.ts';

/**
 * What one component may make when it is instantiated. A few bytes can ask for any number of them, because
 * components that instantiate components multiply. A component made from a module has 4 core instances and 1
 * memory, and one that is composed of ten such has ten times that.
 */
export const componentBounds: Readonly<Record<keyof ComponentCost, number>> = {
  coreInstances: 200,
  /** Each takes about 10 GiB of the address space of its process, which has 128 TiB. */
  memories: 32,
  tables: 400,
  work: 200_000,
};

const named: Readonly<Record<keyof ComponentCost, string>> = {
  coreInstances: 'core instances',
  memories: 'memories',
  tables: 'tables',
  work: 'entries, with all types written out in full',
};

export interface CheckedComponent extends ComponentCost {
  /** Those of its imports that have types alone, which nobody has to offer. */
  readonly typeImports: ReadonlySet<string>;
}

const sectionIds = {
  coreModule: 1,
  coreInstance: 2,
  component: 4,
  instance: 5,
  alias: 6,
  type: 7,
  canon: 8,
  import: 10,
  export: 11,
} as const;

/** Names that carry free text (URLs and digests of other components), which jco would write into source. */
const freeText = ['url=<', 'integrity=<', 'locked-dep=<'];

/**
 * Reads all of a component, the components and core modules inside it too, before anything else looks at it.
 *
 * @throws RefusedFeature for what the gate does not let through, or where it makes more than `componentBounds`
 */
export function checkComponent(bytes: Uint8Array): CheckedComponent {
  const scope = new Scope();
  const cost = new ComponentReader(bytes).read(0, bytes.length, scope);
  return { ...cost, typeImports: scope.typeImports };
}

class ComponentReader {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(from: number, to: number, scope: Scope): ComponentCost {
    const counter = new CostCounter();
    for (const section of sectionsOf(this.#bytes, from, to)) {
      if (section.id === sectionIds.coreModule) {
        scope.add('module', this.#readModule(section.from, section.to));
      } else if (section.id === sectionIds.component) {
        const inner = new Scope(scope);
        const cost = this.read(section.from, section.to, inner);
        scope.add('component', { size: 1, cost, exports: inner.exports });
      } else if (section.id !== 0) {
        this.#refuseFreeText(section.from, section.to);
        readSection(section.id, new ByteReader(this.#bytes, section.from, section.to), scope, counter);
      }
    }
    return counter.total;
  }

  #readModule(from: number, to: number): Item {
    if (layerOf(this.#bytes, from) !== 'core') throw new MalformedWasm('a core module that is not one');
    const bytes = this.#bytes.subarray(from, to);
    const module = readCoreModule(bytes);
    const { memories, tables } = module;
    checkCode(bytes, module);
    const cost = { coreInstances: 1, memories: memories.length, tables: tables.length, work: 1 };
    return { size: 1, cost };
  }

  #refuseFreeText(from: number, to: number): void {
    const content = Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + from, to - from);
    if (freeText.some((text) => content.includes(text))) {
      throw new RefusedFeature('names that are URLs, digests or locked dependencies');
    }
  }
}

/** Adds up costs, and refuses as soon as they are too much. */
class CostCounter {
  total: ComponentCost = { coreInstances: 0, memories: 0, tables: 0, work: 0 };

  add(cost: ComponentCost): void {
    const { total } = this;
    this.total = {
      coreInstances: total.coreInstances + cost.coreInstances,
      memories: total.memories + cost.memories,
      tables: total.tables + cost.tables,
      work: total.work + cost.work,
    };
    for (const [key, most] of Object.entries(componentBounds) as [keyof ComponentCost, number][]) {
      if (this.total[key] <= most) continue;
      throw new RefusedFeature(
        `${this.total[key]} or more ${named[key]} once all its instances are made (allowed is ${most})`,
      );
    }
  }

  addWork(work: number): void {
    this.add({ coreInstances: 0, memories: 0, tables: 0, work });
  }
}

function readSection(id: number, reader: ByteReader, scope: Scope, counter: CostCounter): void {
  const readEntry = entryReaders[id];
  if (readEntry === undefined) return;
  for (let left = reader.u32(); left > 0; left -= 1) {
    counter.addWork(1);
    readEntry(reader, scope, counter);
  }
}

const entryReaders: Readonly<
  Record<number, (reader: ByteReader, scope: Scope, counter: CostCounter) => void>
> = {
  [sectionIds.coreInstance]: readCoreInstance,
  [sectionIds.instance]: readInstance,
  [sectionIds.alias](reader, scope) {
    scope.readAlias(reader);
  },
  [sectionIds.type](reader, scope, counter) {
    const item = readType(reader, scope);
    counter.addWork(item.size);
    scope.add('type', item);
  },
  [sectionIds.canon]: readCanonical,
  [sectionIds.import](reader, scope, counter) {
    const name = readExternName(reader);
    const type = isType(reader);
    const { size, typesOnly } = scope.readDescription(reader);
    if (type || typesOnly === true) scope.typeImports.add(name);
    counter.addWork(size);
  },
  [sectionIds.export]: readExport,
};

function readCoreInstance(reader: ByteReader, scope: Scope, counter: CostCounter): void {
  const form = reader.byte();
  if (form > 0x01) throw new MalformedWasm(`an unknown core instance at byte ${reader.position - 1}`);
  if (form === 0x00) {
    const { cost } = scope.get('module', reader.u32());
    if (cost !== undefined) counter.add(cost);
  }
  for (let left = reader.u32(); left > 0; left -= 1) {
    counter.addWork(1);
    reader.name();
    reader.skip(1);
    reader.skipNumber();
  }
}

function readInstance(reader: ByteReader, scope: Scope, counter: CostCounter): void {
  const form = reader.byte();
  if (form > 0x01) throw new MalformedWasm(`an unknown instance at byte ${reader.position - 1}`);
  if (form === 0x00) {
    const { cost, exports } = scope.get('component', reader.u32());
    if (cost !== undefined) counter.add(cost);
    scope.add('instance', { size: 1, ...(exports !== undefined && { exports }) });
    for (let left = reader.u32(); left > 0; left -= 1) {
      counter.addWork(1);
      reader.name();
      scope.readReference(reader);
    }
    return;
  }
  const exports = new Map<string, Item>();
  for (let left = reader.u32(); left > 0; left -= 1) {
    counter.addWork(1);
    exports.set(readExternName(reader), scope.readReference(reader).item);
  }
  scope.add('instance', { size: 1, exports });
}

/** A function or a built-in between the two layers; each is code that the transpiler writes. */
function readCanonical(reader: ByteReader, scope: Scope, counter: CostCounter): void {
  const kind = reader.byte();
  if (kind === 0x00) {
    reader.skip(1);
    reader.skipNumber();
    skipOptions(reader);
    const lifted = scope.get('type', reader.u32());
    counter.addWork(lifted.size);
    scope.add('function', lifted);
  } else if (kind === 0x01) {
    reader.skip(1);
    counter.addWork(scope.get('function', reader.u32()).size);
    skipOptions(reader);
  } else if (kind >= 0x02 && kind <= 0x04) reader.skipNumber();
  else {
    throw new RefusedFeature(
      `a built-in of the asynchronous component model (0x${kind.toString(16).padStart(2, '0')}, WASI 0.3)`,
    );
  }
}

function skipOptions(reader: ByteReader): void {
  for (let left = reader.u32(); left > 0; left -= 1) {
    const option = reader.byte();
    if (option >= 0x03 && option <= 0x05) reader.skipNumber();
    else if (option > 0x05) {
      throw new RefusedFeature(`a canonical option that is not of WASI 0.2 (0x${option.toString(16)})`);
    }
  }
}

function readExport(reader: ByteReader, scope: Scope, counter: CostCounter): void {
  const name = readExternName(reader);
  const { space, item } = scope.readReference(reader);
  if (space === undefined) throw new MalformedWasm(`an export of the core layer at byte ${reader.position}`);
  if (space === 'component' || space === 'module') {
    throw new RefusedFeature('components or core modules as exports of a component');
  }
  counter.addWork(item.size);
  scope.exports.set(name, item);
  if (reader.byte() === 0x01) scope.readDescription(reader);
  else scope.add(space, item);
}
