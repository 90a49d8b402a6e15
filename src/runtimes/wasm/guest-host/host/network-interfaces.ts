import * as wasi from '@bytecodealliance/preview2-shim';
import { canonicalHost, literalAsName, parseAuthority } from '../../../network/host-name.ts';
import type { GuestImports } from './interfaces.ts';

/** The shim splits an authority at its colons, and cannot have an IPv6 address in one. */
class OutgoingRequest extends wasi.http.types.OutgoingRequest {
  #authority: string | undefined;

  override authority(): string | undefined {
    return this.#authority;
  }

  override setAuthority(authority: string | undefined): void {
    if (authority === undefined) super.setAuthority(undefined);
    else {
      const parsed = parseAuthority(authority);
      if (parsed === undefined) throw undefined;
      const name = parsed.host.includes(':') ? literalAsName(parsed.host) : parsed.host;
      super.setAuthority(parsed.port === '' ? name : `${name}:${Number(parsed.port)}`);
    }
    this.#authority = authority;
  }
}

/** What the shim has of sockets and HTTP, where it reads addresses and names. */
export function networkInterfaces(): GuestImports {
  const { ipNameLookup } = wasi.sockets;
  return {
    'wasi:http/types': { ...wasi.http.types, OutgoingRequest },
    'wasi:sockets/ip-name-lookup': {
      ...ipNameLookup,
      resolveAddresses(...[network, name]: Parameters<typeof ipNameLookup.resolveAddresses>) {
        const host = canonicalHost(name);
        if (host === undefined) throw 'invalid-argument';
        return ipNameLookup.resolveAddresses(network, host);
      },
    },
  };
}
