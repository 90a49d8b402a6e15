/** An `error-code` of `wasi:http/types`. */
export interface HttpErrorCode {
  readonly tag: string;
  readonly val?: unknown;
}

/** Those of Node and of c-ares that have a case of their own, where it has no payload. */
const cases: Readonly<Record<string, string>> = {
  EACCES: 'HTTP-request-denied',
  EPERM: 'HTTP-request-denied',
  ECONNREFUSED: 'connection-refused',
  ECONNRESET: 'connection-terminated',
  ECONNABORTED: 'connection-terminated',
  EPIPE: 'connection-terminated',
  ETIMEDOUT: 'connection-timeout',
  EHOSTUNREACH: 'destination-IP-unroutable',
  ENETUNREACH: 'destination-IP-unroutable',
  ETIMEOUT: 'DNS-timeout',
  ECANCELLED: 'DNS-timeout',
};

/** What a guest is told of a request that failed. */
export function httpError(error: unknown): HttpErrorCode {
  if (typeof error === 'object' && error !== null && 'tag' in error && typeof error.tag === 'string') {
    return { tag: error.tag, ...('val' in error && { val: error.val }) };
  }
  // Where several addresses were tried, the first failure counts.
  if (error instanceof AggregateError && error.errors.length > 0) return httpError(error.errors[0]);
  if (!(error instanceof Error)) return { tag: 'internal-error', val: undefined };
  const code = 'code' in error ? String(error.code) : '';
  const tag = cases[code];
  if (tag !== undefined) return { tag };
  const ofLookup = 'syscall' in error && error.syscall === 'lookup';
  if (ofLookup) return { tag: 'DNS-error', val: { rcode: code, infoCode: undefined } };
  if (code.startsWith('HPE_')) return { tag: 'HTTP-protocol-error' };
  const ofCertificate = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_)/.test(code);
  if (ofCertificate) return { tag: 'TLS-certificate-error' };
  return { tag: 'internal-error', val: error.message };
}
