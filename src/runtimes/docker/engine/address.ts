/** Where an engine listens. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/** Reads a path, `unix://PATH` or `tcp://HOST:PORT`. Throws an Error whose message says what is allowed. */
export function parseAddress(host: string): EngineAddress {
  if (host.startsWith('/')) return { socketPath: host };
  if (host.startsWith('unix:///')) return { socketPath: host.slice('unix://'.length) };
  const url = URL.parse(host);
  if (url?.protocol === 'tcp:' && url.hostname !== '') {
    return { host: url.hostname, port: url.port === '' ? 2375 : Number(url.port) };
  }
  throw new Error(
    `${JSON.stringify(host)} is no engine address: a socket's path, unix://PATH or tcp://HOST:PORT`,
  );
}
