/** Where a trace can be looked at; undefined for none. `template` has `{trace_id}`, or is empty. */
export function traceLink(template: string, traceId: string): string | undefined {
  if (template === '' || traceId === '') return undefined;
  return template.replaceAll('{trace_id}', traceId);
}
