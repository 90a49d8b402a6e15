/**
 * Renders what our Helm chart uses of Go's templates and of Helm's functions, and throws for anything else. Helm is
 * neither a package of Debian nor of npm.
 */
import { stringify } from 'yaml';

type Node = string | { readonly action: string; readonly body: Node[]; readonly otherwise: Node[] };
type Scope = Readonly<Record<string, unknown>>;

interface State {
  readonly named: Map<string, Node[]>;
  /** What `$` names. */
  readonly root: unknown;
}

const blocks = /^(if|with|range|define)\b/;

/** The text of the template, in which those of `named` may be included. Throws where it cannot be rendered. */
export function render(template: string, values: unknown, named: readonly string[] = []): string {
  const state: State = { named: new Map(), root: values };
  for (const each of named) write(parse(each), values, {}, state);
  return write(parse(template), values, {}, state);
}

function parse(template: string): Node[] {
  const tokens = template
    .replaceAll(/\s*\{\{-/g, '{{')
    .replaceAll(/-\}\}\s*/g, '}}')
    .split(/(\{\{.*?\}\})/s)
    .map((text) => (text.startsWith('{{') ? { action: text.slice(2, -2).trim() } : text));
  const take = (): { nodes: Node[]; end: string } => {
    const nodes: Node[] = [];
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
      if (typeof token === 'string') nodes.push(token);
      else if (token.action === 'end' || token.action === 'else') return { nodes, end: token.action };
      else if (!blocks.test(token.action)) nodes.push({ action: token.action, body: [], otherwise: [] });
      else {
        const first = take();
        const otherwise = first.end === 'else' ? take() : { nodes: [], end: first.end };
        if (otherwise.end !== 'end') throw new Error(`{{ ${token.action} }} has no end`);
        nodes.push({ action: token.action, body: first.nodes, otherwise: otherwise.nodes });
      }
    }
    return { nodes, end: '' };
  };
  const { nodes, end } = take();
  if (end !== '') throw new Error(`{{ ${end} }} belongs to nothing`);
  return nodes;
}

function write(nodes: readonly Node[], dot: unknown, scope: Scope, state: State): string {
  return nodes.map((node) => (typeof node === 'string' ? node : act(node, dot, scope, state))).join('');
}

function act(
  { action, body, otherwise }: Exclude<Node, string>,
  dot: unknown,
  scope: Scope,
  state: State,
): string {
  const [, kind, rest = ''] = /^(if|with|range|define)\s+(.*)$/s.exec(action) ?? [];
  if (kind === undefined) return String(evaluate(action, dot, scope, state) ?? '');
  if (kind === 'define') {
    state.named.set(JSON.parse(rest) as string, body);
    return '';
  }
  const [, key, item, list] = /^\$(\w+), \$(\w+) := (.*)$/.exec(rest) ?? [];
  const value = evaluate(list ?? rest, dot, scope, state);
  if (!isTrue(value)) return write(otherwise, dot, scope, state);
  if (kind === 'if') return write(body, dot, scope, state);
  if (kind === 'with') return write(body, value, scope, state);
  if (key === undefined || item === undefined) throw new Error(`not supported: {{ ${action} }}`);
  const entries = Object.entries(value as object);
  // Go takes maps by the order of their keys.
  if (!Array.isArray(value)) entries.sort(([one], [other]) => (one < other ? -1 : 1));
  return entries
    .map(([name, each]) => write(body, dot, { ...scope, [key]: name, [item]: each }, state))
    .join('');
}

/** As Go has it: empty is false. */
function isTrue(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}

function evaluate(text: string, dot: unknown, scope: Scope, state: State): unknown {
  let piped: unknown[] = [];
  for (const stage of text.split('|')) {
    const words = stage.trim().match(/"(?:[^"\\]|\\.)*"|\([^)]*\)|[^\s()]+/g) ?? [];
    const [first = '', ...others] = words;
    const values = others.map((word) => operand(word, dot, scope, state));
    const isCall = /^[a-z]\w*$/i.test(first);
    piped = [isCall ? call(first, [...values, ...piped], state) : operand(first, dot, scope, state)];
  }
  return piped[0];
}

function operand(word: string, dot: unknown, scope: Scope, state: State): unknown {
  if (word.startsWith('(')) return evaluate(word.slice(1, -1), dot, scope, state);
  if (word.startsWith('"') || /^\d+$/.test(word)) return JSON.parse(word);
  if (word === '.') return dot;
  const variable = /^\$(\w+)$/.exec(word)?.[1];
  if (variable !== undefined && variable in scope) return scope[variable];
  if (!/^\$?(\.\w+)+$/.test(word)) throw new Error(`not supported: ${word}`);
  const from = word.startsWith('$') ? state.root : dot;
  return word
    .split('.')
    .slice(1)
    .reduce((value, key) => {
      if (typeof value !== 'object' || value === null || !(key in value))
        throw new Error(`no value: ${word}`);
      return (value as Scope)[key];
    }, from);
}

function call(name: string, args: readonly unknown[], { named, root }: State): unknown {
  const [a, b, c] = args;
  const functions: Readonly<Record<string, () => unknown>> = {
    include: () => write(found(named, String(a)), b, {}, { named, root }),
    nindent: () => `\n${String(b).replaceAll(/^/gm, ' '.repeat(Number(a)))}`,
    toYaml: () => stringify(a).trimEnd(),
    quote: () => JSON.stringify(String(a)),
    default: () => (isTrue(b) ? b : a),
    add: () => Number(a) + Number(b),
    mul: () => Number(a) * Number(b),
    ne: () => a !== b,
    ternary: () => (c === true ? a : b),
    trunc: () => String(b).slice(0, Number(a)),
    trimSuffix: () => (String(b).endsWith(String(a)) ? String(b).slice(0, -String(a).length) : b),
    required: () => {
      if (!isTrue(b)) throw new Error(String(a));
      return b;
    },
  };
  const called = functions[name];
  if (called === undefined) throw new Error(`not supported: ${name}`);
  return called();
}

function found(named: ReadonlyMap<string, Node[]>, name: string): Node[] {
  const nodes = named.get(name);
  if (nodes === undefined) throw new Error(`nothing is defined as ${name}`);
  return nodes;
}
