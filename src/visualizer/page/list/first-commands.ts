/** The first commands of somebody whose node has run nothing yet; each can be pasted as it stands. Pure. */
import { defaultTenant } from '../../../domain/scope.ts';
import type { NodeModel } from '../model/node.ts';

export interface FirstCommands {
  readonly register: string;
  readonly invoke: string;
  readonly curl: string;
}

/** Where the command looks for a node that it is told nothing of. */
const defaultAddress = '127.0.0.1:50051';

/** A WebAssembly program that writes `hello` (WASI preview 1, `fd_write`): it runs on every node, and needs no compiler. */
const helloProgram =
  'AGFzbQEAAAABDAJgBH9/f38Bf2AAAAIjARZ3YXNpX3NuYXBzaG90X3ByZXZpZXcxCGZkX3dyaXRlAAADAgEBBQMBAAEHEwIGbWVtb3J5AgAGX3N0YXJ0AAEKDwENAEEBQQhBAUEAEAAaCwsUAQBBCAsOEAAAAAYAAABoZWxsbwo=';

/** What a command needs to reach the node, with a space before it; empty where it looks there by itself. */
export function addressFlag(grpcAddress: string, hostname: string): string {
  // Nobody can connect to the address that means all of them.
  const address = grpcAddress.replace(/^(?:0\.0\.0\.0|\[::\]):/, `${hostname}:`);
  return address === '' || address === defaultAddress ? '' : ` --address ${address}`;
}

/** What a command needs to find an execution of a tenant, as `addressFlag`. */
export function tenantFlag(tenant = defaultTenant): string {
  return tenant === defaultTenant ? '' : ` --tenant ${tenant}`;
}

/** `task` is one that is registered, if any; `hostname` is how the reader's browser reaches the node. */
export function firstCommands(
  { grpcAddress, hostAccess }: Pick<NodeModel, 'grpcAddress' | 'hostAccess'>,
  {
    task = 'hello',
    origin,
    hostname,
  }: { readonly task: string | undefined; readonly origin: string; readonly hostname: string },
): FirstCommands {
  const flag = addressFlag(grpcAddress, hostname);
  return {
    register: hostAccess
      ? `spear task register hello${flag} --runtime process --artifact /bin/echo -- hello`
      : `echo ${helloProgram} | base64 -d > hello.wasm\nspear task register hello${flag} --runtime wasm --artifact hello.wasm`,
    invoke: `spear invoke ${task}${flag}`,
    curl: `curl -s ${origin}/api/FunctionService/InvokeFunction \\\n  -H "authorization: Bearer $(spear token create curl${flag} --role invoke)" \\\n  -H 'content-type: application/json' -d '${JSON.stringify({ task })}'`,
  };
}
