/**
 * A function of the schema as a later migration makes it: its text with each old part replaced by a new one, so that
 * what was released stays as it is. Throws where an old part is not there exactly once.
 */
export function patched(text: string, changes: readonly (readonly [old: string, now: string])[]): string {
  return changes.reduce((before, [old, now]) => {
    if (before.split(old).length !== 2) throw new Error(`the function does not have once: ${old}`);
    return before.replace(old, () => now);
  }, text);
}

/** Of several functions the one of that name, to be put in its own place. */
export function replaced(functions: string, name: string): string {
  const from = functions.indexOf(`FUNCTION ${name}(`);
  const text = functions.slice(from, functions.indexOf('END $$;', from) + 'END $$;'.length);
  return `CREATE OR REPLACE ${text}`;
}
