/** The options of traces; docs/traces.md explains them. */
import { traceOptions } from './config/trace-options.ts';
import { numberOf } from './config-values.ts';
import { invalidArgument, quote } from './domain/errors.ts';

export interface TracesConfig {
  /** Where spans are sent to, as a URL with its path; empty for nowhere. */
  readonly otlpEndpoint: string;
  /** Headers that go with them, such as tokens. */
  readonly otlpHeaders: Readonly<Record<string, string>>;
  /** The part of the executions whose caller has no trace that begin one, from 0 to 1. */
  readonly traceSample: number;
  /** Where people look at a trace, with `{trace_id}`; empty for nowhere. */
  readonly traceUrl: string;
  /** `service.name` of the spans. */
  readonly otlpServiceName: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const tracesPath = '/v1/traces';

/**
 * The variables are those of the OpenTelemetry specification ("OpenTelemetry Protocol Exporter"): of an endpoint for
 * all signals the path of traces is a part, one for traces alone is taken as it is. Throws a RequestError.
 */
export function resolveTraces(
  read: (key: Exclude<keyof TracesConfig, 'otlpHeaders'>) => string | undefined,
  env: Environment,
): TracesConfig {
  return {
    otlpEndpoint: endpoint(read('otlpEndpoint'), env),
    otlpHeaders: headersFrom(env),
    traceSample: numberOf('traceSample', read('traceSample')),
    traceUrl: traceUrl(read('traceUrl') ?? ''),
    otlpServiceName: read('otlpServiceName') || traceOptions.otlpServiceName.default,
  };
}

function endpoint(given: string | undefined, env: Environment): string {
  if (given !== undefined && given !== '') return withPath(urlFrom('--otlp-endpoint', given));
  const own = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? '';
  const shared = env.OTEL_EXPORTER_OTLP_ENDPOINT ?? '';
  if (env.OTEL_TRACES_EXPORTER === 'none' || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return '';
  if (own + shared === '') return '';
  checkProtocol(env);
  return own === ''
    ? withPath(urlFrom('OTEL_EXPORTER_OTLP_ENDPOINT', shared))
    : urlFrom('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', own).href;
}

/** A receiver that speaks gRPC alone is at another port. */
function checkProtocol(env: Environment): void {
  const names = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];
  const name = names.find((each) => (env[each] ?? '') !== '');
  if (name === undefined || env[name] !== 'grpc') return;
  throw invalidArgument(
    name,
    'is "grpc"; allowed are http/json and http/protobuf, or --otlp-endpoint with a receiver of OTLP over HTTP',
  );
}

function urlFrom(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (url === undefined || !isHttp || url.search + url.hash !== '' || url.username + url.password !== '') {
    // What may be a secret is not said again.
    const shown = url === undefined || !isHttp ? text : url.origin + url.pathname;
    throw invalidArgument(
      name,
      `is ${quote(shown)}${shown.length < text.length ? ' with more' : ''}; allowed is an http or https URL without a name, a password and a query, such as http://127.0.0.1:4318; keys go into OTEL_EXPORTER_OTLP_HEADERS`,
    );
  }
  return url;
}

const placeholder = '{trace_id}';

/** It is shown to whoever sees an execution: a link, and no more. */
function traceUrl(text: string): string {
  if (text === '') return '';
  const example = text.replaceAll(placeholder, '0'.repeat(32));
  const url = URL.canParse(example) ? new URL(example) : undefined;
  const isLink =
    (url?.protocol === 'http:' || url?.protocol === 'https:') && url.username + url.password === '';
  // The host must not be what a trace says.
  const rest = url === undefined ? '' : url.pathname + url.search + url.hash;
  const isPlaced =
    text.includes(placeholder) && rest.includes('0'.repeat(32)) && !url?.host.includes('0'.repeat(32));
  if (isLink && isPlaced && !/[{}\s]/.test(example)) return text;
  throw invalidArgument(
    '--trace-url',
    `is ${quote(url === undefined ? text : url.origin === 'null' ? url.protocol : url.host)}; allowed is an http or https URL without a name and a password that has ${placeholder} behind its host, such as http://127.0.0.1:16686/trace/${placeholder}`,
  );
}

function withPath(url: URL): string {
  const path = url.pathname.replace(/\/+$/, '');
  if (!path.endsWith(tracesPath)) url.pathname = path + tracesPath;
  return url.href;
}

/** `NAME=VALUE,…`, of which values may have `%XX`; those for traces alone come over the others. */
function headersFrom(env: Environment): Readonly<Record<string, string>> {
  const names = ['OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS'];
  return Object.fromEntries(names.flatMap((name) => pairsIn(name, env[name] ?? '')));
}

function pairsIn(name: string, text: string): [string, string][] {
  const entries = text.split(',').map((entry) => entry.trim());
  return entries
    .filter((entry) => entry !== '')
    .map((entry) => {
      const split = entry.indexOf('=');
      const key = entry.slice(0, Math.max(0, split)).trim();
      const value = decoded(entry.slice(split + 1).trim());
      // What is wrong is not shown: it may be a secret.
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(key) || value === undefined) {
        throw invalidArgument(
          name,
          'is not as it has to be; allowed is NAME=VALUE, several with a comma between',
        );
      }
      return [key.toLowerCase(), value];
    });
}

function decoded(text: string): string | undefined {
  try {
    const value = decodeURIComponent(text);
    return /^[\t\x20-\x7e\x80-\xff]*$/.test(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
