import { type ByteReader, MalformedWasm, RefusedFeature } from './binary.ts';

/** What a component makes when it is instantiated, the components that it instantiates included. */
export interface ComponentCost {
  readonly coreInstances: number;
  readonly memories: number;
  readonly tables: number;
  /**
   * What transpiling it takes: one for each entry of its sections, and for each type the number of types in it,
   * written out in full.
   */
  readonly work: number;
}

/** One entry of an index space. */
export interface Item {
  /** Of a type, a function or an instance: how many types it is, written out in full. */
  readonly size: number;
  /** Of an instance or a component. */
  readonly exports?: ReadonlyMap<string, Item>;
  /** Of an instance that has types, and nothing but types, and no resource among them: nobody has to be there for it. */
  readonly typesOnly?: boolean;
  /** Of a component or a core module. */
  readonly cost?: ComponentCost;
}

type Space = 'function' | 'type' | 'component' | 'instance' | 'module';

const spaces: Readonly<Record<number, Space>> = { 1: 'function', 3: 'type', 4: 'component', 5: 'instance' };
const coreModuleSort = 0x11;

/** The index spaces of a component, or of the type of an instance or a component. */
export class Scope {
  readonly parent: Scope | undefined;
  readonly depth: number;
  readonly exports = new Map<string, Item>();
  /** The names of imports that have types alone. */
  readonly typeImports = new Set<string>();
  readonly #spaces: Record<Space, Item[]> = {
    function: [],
    type: [],
    component: [],
    instance: [],
    module: [],
  };

  constructor(parent?: Scope) {
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    if (this.depth > 50) throw new RefusedFeature('components or types nested more than 50 deep');
  }

  add(space: Space, item: Item): void {
    this.#spaces[space].push(item);
  }

  get(space: Space, index: number): Item {
    const item = this.#spaces[space][index];
    if (item === undefined) throw new MalformedWasm(`a component without the ${space} ${index} that it uses`);
    return item;
  }

  /** Reads a kind and an index: an argument, or an export. */
  readReference(reader: ByteReader): { readonly space: Space | undefined; readonly item: Item } {
    const space = readSort(reader);
    const index = reader.u32();
    return { space, item: space === undefined ? { size: 1 } : this.get(space, index) };
  }

  /** Reads an alias and adds what it stands for. */
  readAlias(reader: ByteReader): Item | undefined {
    const space = readSort(reader);
    const target = reader.byte();
    if (target === 0x02) return this.#addOuter(reader, space);
    if (target > 0x02) throw new MalformedWasm(`an unknown alias at byte ${reader.position - 1}`);
    const index = reader.u32();
    const name = reader.name();
    if (target === 0x01 || space === undefined) return undefined;
    const item = this.get('instance', index).exports?.get(name);
    if (item === undefined) {
      throw new MalformedWasm(
        `an instance without the export ${JSON.stringify(name.slice(0, 80))} that is used`,
      );
    }
    this.add(space, item);
    return item;
  }

  #addOuter(reader: ByteReader, space: Space | undefined): Item | undefined {
    let scope: Scope | undefined = this;
    for (let left = reader.u32(); left > 0 && scope !== undefined; left -= 1) scope = scope.parent;
    const index = reader.u32();
    if (scope === undefined) throw new MalformedWasm(`an alias of nothing at byte ${reader.position}`);
    if (space === undefined) return undefined;
    const item = scope.get(space, index);
    this.add(space, item);
    return item;
  }

  /** Reads the type of an import or an export, and adds what it describes. */
  readDescription(reader: ByteReader): Item {
    const kind = reader.byte();
    if (kind === 0x00) {
      reader.skip(1);
      reader.skipNumber();
      throw new RefusedFeature('core modules as imports or exports of components');
    }
    if (kind === 0x02) throw new RefusedFeature('values in the interface of a component');
    if (kind === 0x03) return this.#addType(reader);
    if (kind === 0x04) throw new RefusedFeature('components as imports or exports of components');
    const space = spaces[kind];
    if (space === undefined)
      throw new MalformedWasm(`an unknown kind of import at byte ${reader.position - 1}`);
    const item = this.get('type', reader.u32());
    this.add(space, item);
    return item;
  }

  #addType(reader: ByteReader): Item {
    const item = reader.byte() === 0x01 ? { size: 1 } : this.get('type', reader.u32());
    this.add('type', item);
    return item;
  }
}

/** @returns undefined for what is of the core layer and no module */
function readSort(reader: ByteReader): Space | undefined {
  const sort = reader.byte();
  if (sort === 0x00) return reader.byte() === coreModuleSort ? 'module' : undefined;
  const space = spaces[sort];
  if (space === undefined) throw new MalformedWasm(`an unknown kind of item at byte ${reader.position - 1}`);
  return space;
}

/** The name of an import or export, in any of the forms that there are. */
export function readExternName(reader: ByteReader): string {
  const kind = reader.byte();
  if (kind > 0x01) throw new MalformedWasm(`an unknown kind of name at byte ${reader.position - 1}`);
  return reader.name();
}
