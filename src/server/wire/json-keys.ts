/** A JSON reader keeps the last of two values with the same name, and says nothing of the other. */

interface Open {
  /** Names so far; undefined in a list. */
  readonly names: Set<string> | undefined;
  /** The path of what is being read in it. */
  path: string;
  index: number;
  expectsName: boolean;
}

/** The path of the first name that an object has twice, as `environment.A` or `args[0].a`. `text` is JSON. */
export function repeatedKey(text: string): string | undefined {
  const open: Open[] = [];
  let at = 0;
  while (at < text.length) {
    const top = open.at(-1);
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at);
        if (top?.expectsName === true) {
          const name = JSON.parse(text.slice(at, end)) as string;
          top.path = name;
          top.expectsName = false;
          if (top.names?.has(name) === true) return pathOf(open);
          top.names?.add(name);
        }
        at = end;
        continue;
      }
      case '{':
        open.push({ names: new Set(), path: '', index: 0, expectsName: true });
        break;
      case '[':
        open.push({ names: undefined, path: '[0]', index: 0, expectsName: false });
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case ',':
        if (top === undefined) break;
        top.index += 1;
        if (top.names === undefined) top.path = `[${top.index}]`;
        else top.expectsName = true;
    }
    at += 1;
  }
  return undefined;
}

/** Where the string that begins at `start` is over. What is in it is not looked at: it may be many megabytes. */
function endOfString(text: string, start: number): number {
  let end = start;
  for (;;) {
    end = text.indexOf('"', end + 1);
    let escapes = 0;
    while (text[end - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
}

function pathOf(open: readonly Open[]): string {
  return open
    .map(({ path }) => path)
    .reduce((all, path) => `${all}${path.startsWith('[') ? '' : '.'}${path}`);
}
