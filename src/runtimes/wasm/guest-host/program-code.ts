import { registerHooks } from 'node:module';

const prefix = 'spear-program:';
const texts = new Map<string, string>();
let registered = false;

/** Imports the JavaScript of a program, which is nowhere on a disk. */
export async function importProgram(key: number, source: string): Promise<Record<string, unknown>> {
  register();
  const url = `${prefix}${key}`;
  texts.set(url, source);
  try {
    return await import(url);
  } finally {
    texts.delete(url);
  }
}

function register(): void {
  if (registered) return;
  registered = true;
  registerHooks({
    resolve: (specifier, context, next) =>
      specifier.startsWith(prefix)
        ? { url: specifier, format: 'module', shortCircuit: true }
        : next(specifier, context),
    load(url, context, next) {
      const source = texts.get(url);
      return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
    },
  });
}
