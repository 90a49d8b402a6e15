/** The options that say how callers reach a node, and how it knows them; docs/security.md explains them. */
import { edgeOptions } from './config/edge-options.ts';
import { truth } from './config-values.ts';
import { invalidArgument, quote } from './domain/errors.ts';

export interface EdgeConfig {
  /** Files (PEM) of the certificate and its key, for gRPC and HTTP; both empty for none. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  /** The node makes a certificate for itself. */
  readonly tlsSelfSigned: boolean;
  /** File (PEM) of those who sign the certificates of clients; empty where none count. */
  readonly tlsClientCa: string;
  /** May listen beyond loopback in the clear, behind a proxy. */
  readonly insecureListen: boolean;
  /** Names that HTTP answers to, beside those that it is bound to and those of its certificate. */
  readonly httpHost: readonly string[];
  /** Origins of pages that may call, as browsers send them; `*` alone for any. */
  readonly corsOrigin: readonly string[];
  /** File, or https URL, of the keys (JWK set) of an issuer of tokens; empty where JWTs are not taken. */
  readonly jwtJwks: string;
  /** What the claims `iss` and `aud` have to say. */
  readonly jwtIssuer: string;
  readonly jwtAudience: string;
  /** Names of the claims that say what a caller may do. */
  readonly jwtTenantClaim: string;
  readonly jwtRoleClaim: string;
  readonly jwtTasksClaim: string;
  /** The role of a JWT may be `admin`. */
  readonly jwtAllowAdmin: boolean;
}

/** `read` gives an option's text. Throws a RequestError that names the flag and what is allowed. */
export function resolveEdge(read: (key: keyof EdgeConfig) => string | undefined): EdgeConfig {
  const tlsCert = read('tlsCert') ?? '';
  const tlsKey = read('tlsKey') ?? '';
  const tlsClientCa = read('tlsClientCa') ?? '';
  const tlsSelfSigned = truth('--tls-self-signed', read('tlsSelfSigned'));
  if (tlsSelfSigned && tlsCert + tlsKey !== '') {
    throw invalidArgument(
      '--tls-self-signed',
      'is given beside --tls-cert and --tls-key; allowed is one of both',
    );
  }
  if (tlsCert === '' && tlsKey !== '') {
    throw invalidArgument('--tls-cert', 'is missing; allowed are --tls-cert and --tls-key together');
  }
  if (tlsKey === '' && tlsCert !== '') {
    throw invalidArgument('--tls-key', 'is missing; allowed are --tls-cert and --tls-key together');
  }
  const config: EdgeConfig = {
    ...{ tlsCert, tlsKey, tlsSelfSigned, tlsClientCa },
    insecureListen: truth('--insecure-listen', read('insecureListen')),
    httpHost: hosts('--http-host', read('httpHost') ?? ''),
    corsOrigin: origins('--cors-origin', read('corsOrigin') ?? ''),
    ...jwt(read),
  };
  if (tlsClientCa !== '' && !hasTls(config)) {
    throw invalidArgument('--tls-client-ca', 'needs TLS; allowed is with --tls-cert and --tls-key');
  }
  return config;
}

/** Both gRPC and HTTP are reached over TLS. */
export function hasTls({ tlsCert, tlsSelfSigned }: Pick<EdgeConfig, 'tlsCert' | 'tlsSelfSigned'>): boolean {
  return tlsSelfSigned || tlsCert !== '';
}

type JwtConfig = Pick<EdgeConfig, Extract<keyof EdgeConfig, `jwt${string}`>>;

function jwt(read: (key: keyof EdgeConfig) => string | undefined): JwtConfig {
  const needed = {
    '--jwt-jwks': read('jwtJwks') ?? '',
    '--jwt-issuer': read('jwtIssuer') ?? '',
    '--jwt-audience': read('jwtAudience') ?? '',
  };
  const names = Object.keys(needed);
  const missing = Object.entries(needed).find(([, value]) => value === '')?.[0];
  if (missing !== undefined && Object.values(needed).some((value) => value !== '')) {
    throw invalidArgument(missing, `is missing; allowed are ${names.join(', ')} together`);
  }
  const jwtJwks = needed['--jwt-jwks'];
  if (
    /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(jwtJwks) &&
    !(jwtJwks.startsWith('https://') && URL.canParse(jwtJwks))
  ) {
    throw invalidArgument('--jwt-jwks', `is ${quote(jwtJwks)}; allowed are a file and an https URL`);
  }
  const claim = (name: 'jwtTenantClaim' | 'jwtRoleClaim' | 'jwtTasksClaim'): string =>
    read(name) || edgeOptions[name].default;
  return {
    jwtJwks,
    ...{ jwtIssuer: needed['--jwt-issuer'], jwtAudience: needed['--jwt-audience'] },
    jwtTenantClaim: claim('jwtTenantClaim'),
    jwtRoleClaim: claim('jwtRoleClaim'),
    jwtTasksClaim: claim('jwtTasksClaim'),
    jwtAllowAdmin: truth('--jwt-allow-admin', read('jwtAllowAdmin')),
  };
}

/** Names are separated by commas, as none has one. */
function hosts(flag: string, text: string): readonly string[] {
  const names = text.split(',').filter((name) => name !== '');
  return names.map((name) => {
    if (!/^([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/.test(name)) {
      throw invalidArgument(
        flag,
        `has ${quote(name)}; allowed are names and addresses as a browser sends them, such as spear.example or spear.example:8443`,
      );
    }
    return name.toLowerCase();
  });
}

/** Exactly as browsers send them, because they are compared so. None has a comma. */
function origins(flag: string, text: string): readonly string[] {
  const listed = text.split(',').filter((origin) => origin !== '');
  if (listed.includes('*') && listed.length > 1) {
    throw invalidArgument(flag, 'has * beside other origins; allowed is one of both');
  }
  for (const origin of listed) {
    if (origin === '*') continue;
    const url = URL.parse(origin);
    const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
    const isOrigin = url !== null && isWeb && !url.hostname.includes('*');
    if (isOrigin && url.origin === origin) continue;
    const hint = isOrigin ? `, here ${quote(url.origin)}` : '';
    throw invalidArgument(
      flag,
      `has ${quote(origin)}; allowed are * and origins as browsers send them, such as https://app.example or http://localhost:3000${hint}`,
    );
  }
  return listed;
}

/**
 * Throws where a page of any site could do something by being shown in a browser: what a caller may without a token,
 * or with the certificate that its browser shows.
 */
export function assertTokensNeeded(
  { corsOrigin, tlsClientCa }: Pick<EdgeConfig, 'corsOrigin' | 'tlsClientCa'>,
  anonymousRole: string,
): void {
  if (!corsOrigin.includes('*')) return;
  if (anonymousRole !== 'none') {
    throw invalidArgument(
      '--cors-origin',
      `is *, and callers without a token have the role ${anonymousRole}; allowed is * with --anonymous-role none`,
    );
  }
  if (tlsClientCa !== '') {
    throw invalidArgument('--cors-origin', 'is *; allowed beside --tls-client-ca are listed origins');
  }
}
