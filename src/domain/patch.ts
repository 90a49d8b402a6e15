/**
 * What changed between two contexts, as a JSON merge patch (RFC 7396) over their top-level keys: null takes a key
 * away. Empty where nothing changed. Values are compared by identity, as charts replace what they change.
 */
export function contextPatch(before: object | undefined, after: object): string {
  const was = (before ?? {}) as Readonly<Record<string, unknown>>;
  const is = after as Readonly<Record<string, unknown>>;
  let patch: Record<string, unknown> | undefined;
  // Not Object.entries: this runs for each transition, and its pairs are garbage.
  for (const key in is) {
    if ((was[key] ?? null) === is[key]) continue;
    patch ??= {};
    patch[key] = is[key];
  }
  return patch === undefined ? '' : JSON.stringify(patch);
}
