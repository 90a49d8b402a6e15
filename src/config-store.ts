/** Where a node keeps its executions; docs/cluster.md explains it. */
import { readFileSync } from 'node:fs';
import { nodeOptions } from './config/node-options.ts';
import { type EngineAddress, isEngineAddress, readEngineAddress } from './domain/engine-address.ts';
import { invalidArgument, quote } from './domain/errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Undefined for the data folder. Throws a RequestError, which never has the password. */
export function resolveEngine(
  read: (key: 'store' | 'storePasswordFile') => string | undefined,
  env: Environment,
): EngineAddress | undefined {
  const text = read('store') ?? nodeOptions.store.default;
  const file = read('storePasswordFile') ?? '';
  if (text === nodeOptions.store.default) {
    if (file === '') return undefined;
    throw invalidArgument(
      '--store-password-file',
      `is ${quote(file)}, and no --store is there that has a password`,
    );
  }
  if (!isEngineAddress(text)) {
    const scheme = /^[a-z+]+(?=:)/.exec(text)?.[0];
    const shown = scheme === undefined ? quote(text) : `a URL of ${scheme}`;
    throw invalidArgument(
      '--store',
      `is ${shown}; allowed are sqlite and postgres://USER@HOST[:PORT]/DATABASE`,
    );
  }
  const address = readEngineAddress(text);
  if ('wrong' in address) {
    throw invalidArgument(
      '--store',
      `${address.wrong}; allowed is postgres://USER:PASSWORD@HOST[:PORT][,HOST[:PORT]]/DATABASE[?sslmode=MODE]`,
    );
  }
  if (file === '') return address.password === '' ? { ...address, password: env.PGPASSWORD ?? '' } : address;
  return { ...address, password: passwordIn(file) };
}

/** As hosts are named. */
const nodeNameForm = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** Empty for none. */
export function resolveNodeName(name: string): string {
  if (name === '' || nodeNameForm.test(name)) return name;
  throw invalidArgument(
    '--node-name',
    `is ${quote(name)}; allowed are up to 63 letters, digits, ".", "_" and "-", with a letter or a digit at both ends`,
  );
}

function passwordIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw invalidArgument('--store-password-file', `is ${quote(file)}, which cannot be read: ${why}`);
  }
}
