/**
 * What changed between two contexts, as a JSON merge patch (RFC 7396) over their top-level keys: null takes a key
 * away. Empty where nothing changed. Values are compared by identity, as charts replace what they change.
 */
export function contextPatch(before: object | undefined, after: object): string {
  const was = (before ?? {}) as Readonly<Record<string, unknown>>;
  let patch: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(after)) {
    if ((was[key] ?? null) === value) continue;
    patch ??= {};
    patch[key] = value;
  }
  return patch === undefined ? '' : JSON.stringify(patch);
}
