/** What docs/traces.md explains. */
import type { Option } from './option.ts';

export const traceOptions = {
  otlpEndpoint: {
    value: { kind: 'text', placeholder: 'url' },
    about: 'send traces there, by OTLP over HTTP (or OTEL_EXPORTER_OTLP_ENDPOINT)',
    defaultWords: 'nowhere',
  },
  traceSample: {
    value: { kind: 'decimal', placeholder: 'part', least: 0, most: 1 },
    about: 'of the executions whose caller has no trace, the part that begins one',
    default: 0.1,
  },
  traceUrl: {
    value: { kind: 'text', placeholder: 'url' },
    about: 'where people look at a trace, with {trace_id} in it: the page and spear status link there',
    defaultWords: 'nowhere',
  },
  otlpServiceName: {
    value: { kind: 'text', placeholder: 'name' },
    about: 'what these traces call this service',
    default: 'spear',
    lastVariable: 'OTEL_SERVICE_NAME',
  },
} as const satisfies Record<string, Option>;
