import { Counter, type OpenMetricsContentType, type Registry } from 'prom-client';

/** Calls that ended with an error, as their callers heard it. */
export class CallMetrics {
  readonly #registers: Registry<OpenMetricsContentType>[];
  readonly #errors: Counter<'method' | 'code'>;
  readonly #methods: ReadonlySet<string>;

  /** `methods` are those that have labels of their own: what else is asked for is the callers' to choose. */
  constructor(registers: Registry<OpenMetricsContentType>[], methods: Iterable<string>) {
    this.#registers = registers;
    this.#methods = new Set(methods);
    this.#errors = new Counter({
      name: 'spear_call_errors_total',
      help: 'Calls over gRPC and HTTP that ended with an error, by method and code.',
      ...{ labelNames: ['method', 'code'], registers },
    });
  }

  /** `count` says how many there were since the start of the node. */
  countRefusedTokens(count: () => number): void {
    new Counter({
      name: 'spear_tokens_refused_total',
      help: 'Tokens and certificates that were not good.',
      registers: this.#registers,
      collect() {
        this.reset();
        this.inc(count());
      },
    });
  }

  /** `path` is one of gRPC or HTTP, `code` a canonical one, such as `not_found`. */
  failed(path: string, code: string): void {
    const [method = ''] = /\w+\/\w+$/.exec(path) ?? [];
    this.#errors.inc({ method: this.#methods.has(method) ? method : 'other', code: code.toUpperCase() });
  }
}
