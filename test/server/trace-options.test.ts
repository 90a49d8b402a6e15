/** Where traces go, by flags and by the variables of OpenTelemetry. */
import { expect, test } from 'vitest';
import { type Environment, resolveConfig } from '../../src/config.ts';

const endpointOf = (env: Environment, otlpEndpoint?: string): string =>
  resolveConfig({ otlpEndpoint }, env).otlpEndpoint;

test.each([
  ['nothing', {}, ''],
  ['one for all signals', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4318' }, 'http://a:4318/v1/traces'],
  ['one with a path', { OTEL_EXPORTER_OTLP_ENDPOINT: 'https://a/otlp/' }, 'https://a/otlp/v1/traces'],
  ['one for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://a/x' }, 'http://a/x'],
  ['traces that go nowhere', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_TRACES_EXPORTER: 'none' }, ''],
  [
    'ours, which comes first',
    { SPEAR_OTLP_ENDPOINT: 'http://b', OTEL_EXPORTER_OTLP_ENDPOINT: 'x' },
    'http://b/v1/traces',
  ],
])('the endpoint of %s', (_what, env, endpoint) => {
  expect(endpointOf(env)).toBe(endpoint);
});

test('a flag comes before all variables, and may have the path of traces', () => {
  const env = { SPEAR_OTLP_ENDPOINT: 'http://b', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  expect(endpointOf(env, 'http://c/v1/traces')).toBe('http://c/v1/traces');
});

test('a receiver of gRPC is refused by the variable that says so', () => {
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
  expect(() => endpointOf(env)).toThrow(/OTEL_EXPORTER_OTLP_PROTOCOL.*http\/json/);
});

test('headers are read as OpenTelemetry writes them, and those that are no good are not shown', () => {
  const headersOf = (text: string) =>
    resolveConfig({}, { OTEL_EXPORTER_OTLP_HEADERS: text, OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'b=3' })
      .otlpHeaders;
  expect(headersOf('Authorization=Bearer%20x, b=2')).toEqual({ authorization: 'Bearer x', b: '3' });
  for (const wrong of ['hunter2', 'a b=hunter2', 'a=%zz hunter2', 'a=%0ahunter2']) {
    expect(() => headersOf(wrong)).toThrow(/^OTEL_EXPORTER_OTLP_HEADERS(?!.*hunter2)/);
  }
});
