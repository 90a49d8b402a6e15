/** Where an engine listens. */
export type EngineAddress =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/** Whether an engine at this address is on the node's own machine for certain; false for what is no address. */
export function isOwnEngine(host: string): boolean {
  return host.startsWith('/') || host.startsWith('unix:///');
}

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
