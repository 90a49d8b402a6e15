/** Where a PostgreSQL is, as `--store` says it: `postgres://USER:PASSWORD@HOST[:PORT][,HOST[:PORT]]/DATABASE?sslmode=…`. */

export const sslModes = ['disable', 'prefer', 'require', 'verify-full'] as const;
export type SslMode = (typeof sslModes)[number];

export interface EngineHost {
  /** A name, an address, or the folder of a socket, which begins with a slash. */
  readonly host: string;
  readonly port: number;
}

export interface EngineAddress {
  /** In the order in which they are tried. At least one. */
  readonly hosts: readonly EngineHost[];
  readonly user: string;
  /** Empty where there is none. */
  readonly password: string;
  readonly database: string;
  /** As libpq has it (PostgreSQL, "SSL Support"): `prefer`, the default, also takes a server without TLS. */
  readonly sslMode: SslMode;
  /** File of the certificates (PEM) that the server's has to come from; empty for those that Node knows. */
  readonly sslRootCert: string;
}

const defaultPort = 5432;
const parameters = ['sslmode', 'sslrootcert', 'host'];

export function isEngineAddress(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text);
}

/** What is wrong with it, in words that have nothing of its password. */
export interface NoAddress {
  readonly wrong: string;
}

/** What a URL has several of at once, hosts, no parser of URLs reads. */
export function readEngineAddress(text: string): EngineAddress | NoAddress {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(text);
  if (match === null) return { wrong: 'is no such URL' };
  const [, who = '', where = '', database = '', query = ''] = match;
  const settings = new URLSearchParams(query);
  for (const name of settings.keys()) {
    if (!parameters.includes(name)) {
      return { wrong: `has the parameter ${JSON.stringify(name)}; allowed are ${parameters.join(', ')}` };
    }
  }
  const sslMode = sslModes.find((mode) => mode === (settings.get('sslmode') ?? 'prefer'));
  if (sslMode === undefined) {
    return { wrong: `has sslmode=${settings.get('sslmode')}; allowed are ${sslModes.join(', ')}` };
  }
  const [user = '', ...password] = who.split(':');
  const decoded = [user, password.join(':'), database].map(decode);
  if (decoded.includes(undefined)) return { wrong: 'has a % that begins no %XX' };
  if (user === '') return { wrong: 'names no user' };
  if (database === '' || database.includes('/')) return { wrong: 'names no database' };
  const folder = settings.get('host') ?? '';
  const hosts = folder === '' ? where.split(',').map(readHost) : [{ host: folder, port: defaultPort }];
  if (hosts.some((host) => host === undefined)) return { wrong: 'names no host, or a port that is none' };
  return {
    hosts: hosts as EngineHost[],
    user: decoded[0] ?? '',
    password: decoded[1] ?? '',
    database: decoded[2] ?? '',
    sslMode,
    sslRootCert: settings.get('sslrootcert') ?? '',
  };
}

/** What may be shown of it: everything but the password. */
export function shownAddress({ hosts, user, database }: EngineAddress): string {
  const all = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  return `postgres://${encodeURIComponent(user)}@${all.join(',')}/${encodeURIComponent(database)}`;
}

function readHost(text: string): EngineHost | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(text);
  const port = Number(match?.[2] ?? defaultPort);
  const host = match?.[1]?.replace(/^\[|\]$/g, '');
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
