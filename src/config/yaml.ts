/** YAML as people write it in a configuration or a task: one document, plain values, no surprises. */
import { type Document, isAlias, isMap, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { quote } from '../domain/errors.ts';

/** What is wrong with a file, and in which line. */
export class YamlFault extends Error {
  override readonly name = 'YamlFault';
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

export interface ReadYaml {
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** The tags of what is written without one. */
const plainTags = ['str', 'map', 'seq'].map((name) => `tag:yaml.org,2002:${name}`);
/** Values that aliases may stand for in all of a file: a small one could otherwise be gigabytes. */
const mostAliased = 1000;

/**
 * All scalars are texts (YAML's failsafe schema), so that the place says what one means. Throws a YamlFault for what is
 * no YAML 1.2, has several documents, tags, a key twice, or aliases that stand for themselves or for very much.
 */
export function readYaml(source: string): ReadYaml {
  try {
    return checked(source);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new YamlFault(1, 'is nested too deep to be read');
  }
}

function checked(source: string): ReadYaml {
  const lines = new LineCounter();
  const document = parseDocument(source, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const lineAt = (offset: number | undefined) => lines.linePos(offset ?? 0).line;
  if (problem !== undefined) throw new YamlFault(lineAt(problem.pos[0]), wordsOf(problem));
  const { version, explicit } = document.directives.yaml;
  if (explicit === true && version !== '1.2') {
    throw new YamlFault(1, `has %YAML ${version}; allowed is 1.2, or no such line`);
  }
  visit(document, {
    Node(_, node) {
      const { tag } = node as Node;
      if (tag === undefined || plainTags.includes(tag)) return;
      throw new YamlFault(lineAt(node.range?.[0]), `has the tag ${quote(tag)}; allowed are none`);
    },
  });
  checkAliases(document, lineAt);
  return { document, lines };
}

function wordsOf({ code, message }: { readonly code: string; readonly message: string }): string {
  switch (code) {
    case 'MULTIPLE_DOCS':
      return 'has several documents; allowed is one';
    case 'DUPLICATE_KEY':
      return 'has a key that is there already; allowed is each once';
    case 'BAD_DIRECTIVE':
      return `has a directive that is not known (${message}); allowed is %YAML 1.2, or none`;
    case 'TAG_RESOLVE_FAILED':
      return `has a tag (${message}); allowed are none`;
    default:
      return `is not YAML or JSON: ${message}`;
  }
}

/** An alias can stand for what has aliases: each is counted with all that it stands for. */
function checkAliases(document: Document, lineAt: (offset: number | undefined) => number): void {
  const sizes = new Map<Node, number>();
  const within = new Set<Node>();
  const sizeOf = (node: unknown): number => {
    if (isAlias(node)) {
      const target = node.resolve(document);
      const line = lineAt(node.range?.[0]);
      if (target === undefined) throw new YamlFault(line, `has *${node.source}, which nothing is named`);
      if (within.has(target)) throw new YamlFault(line, `has *${node.source} within what it stands for`);
      const size = sizeOf(target);
      if (size > mostAliased) {
        throw new YamlFault(line, `has *${node.source}, which stands for more than ${mostAliased} values`);
      }
      return size;
    }
    if (!isNodeWithItems(node)) return 1;
    const known = sizes.get(node);
    if (known !== undefined) return known;
    within.add(node);
    let size = 1;
    for (const item of node.items) {
      size += isMap(node)
        ? sizeOf((item as { key: unknown }).key) + sizeOf((item as { value: unknown }).value)
        : sizeOf(item);
    }
    within.delete(node);
    sizes.set(node, size);
    return size;
  };
  const size = sizeOf(document.contents);
  const written = sizeWithoutAliases(document);
  if (size > written + mostAliased) {
    throw new YamlFault(1, `has aliases that stand for more than ${mostAliased} values`);
  }
}

function sizeWithoutAliases(document: Document): number {
  let count = 0;
  visit(document, () => {
    count += 1;
  });
  return count;
}

function isNodeWithItems(node: unknown): node is Node & { readonly items: readonly unknown[] } {
  return typeof node === 'object' && node !== null && 'items' in node && Array.isArray(node.items);
}
