/**
 * Spans in the JSON form of the OpenTelemetry protocol, version 1 (https://opentelemetry.io/docs/specs/otlp/): proto
 * JSON, but for ids, which are hex there. Times are nanoseconds since the epoch, as text.
 */

export type AttributeValue = string | number | boolean | readonly string[];
/** What is undefined is left out. */
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

interface AnyValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string;
  readonly doubleValue?: number;
  readonly arrayValue?: { readonly values: readonly AnyValue[] };
}

export interface OtlpAttribute {
  readonly key: string;
  readonly value: AnyValue;
}

export interface OtlpEvent {
  readonly timeUnixNano: string;
  readonly name: string;
  readonly attributes: readonly OtlpAttribute[];
}

/** Of the enum `SpanKind`. */
export const spanKinds = { internal: 1, server: 2, consumer: 5 } as const;
/** Of the enum `StatusCode`. */
export const statusError = 2;

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  /** The flags of W3C Trace Context, and two bits of whether the parent is elsewhere. */
  readonly flags: number;
  readonly name: string;
  readonly kind: (typeof spanKinds)[keyof typeof spanKinds];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly OtlpAttribute[];
  readonly events: readonly OtlpEvent[];
  readonly droppedEventsCount?: number;
  readonly status?: { readonly code: typeof statusError; readonly message: string };
}

/** Who sends them. */
export interface TraceSource {
  readonly serviceName: string;
  readonly version: string;
  readonly nodeId: string;
}

/** A sampled trace, and that it is known whether a span's parent is elsewhere; then, that it is. */
export const sampledFlags = 0x101;
export const remoteParentFlag = 0x200;

/** The body of a request that brings `spans`, each as JSON text. */
export function exportRequest(source: TraceSource, spans: readonly string[]): string {
  const resource = {
    attributes: attributesOf({
      'service.name': source.serviceName,
      'service.version': source.version,
      'service.instance.id': source.nodeId,
    }),
  };
  const scope = { name: 'spear', version: source.version };
  return `{"resourceSpans":[{"resource":${JSON.stringify(resource)},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[${spans.join(',')}]}]}]}`;
}

export function attributesOf(attributes: Attributes): OtlpAttribute[] {
  const list: OtlpAttribute[] = [];
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) list.push({ key, value: anyValue(value) });
  }
  return list;
}

function anyValue(value: AttributeValue): AnyValue {
  if (typeof value === 'string') return { stringValue: value.toWellFormed() };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { arrayValue: { values: value.map(anyValue) } };
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

/** `ms` since the epoch. A double has no nanoseconds of these days. */
export function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
