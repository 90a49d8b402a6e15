import { createHmac, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseSecret } from '../../domain/secret.ts';
import type { TaskDefinition } from '../../domain/task.ts';
import { LaunchError, noSecrets, type SecretSource, type Secrets, type SecretValue } from '../runtime.ts';

/** Of one value; what goes beyond is no key and no certificate. */
const mostBytes = 64 * 1024;

interface SecretStoreOptions {
  /** Has a folder for each tenant, with a file for each key; empty where there is none. */
  readonly folder: string;
  /** Of the node's environment. */
  readonly variable: (name: string) => string | undefined;
}

/**
 * The values of secrets, read anew for each instance: `FOLDER/TENANT/KEY`, or the variable `SPEAR_SECRET_TENANT_KEY` of
 * the node's environment. A tenant has no underscore in its name, so that no other tenant and key have that variable.
 */
export class SecretStore implements SecretSource {
  readonly #options: SecretStoreOptions;
  /** Tells values apart in memory without keeping them. */
  readonly #fingerprintKey = randomBytes(32);

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  async read({ secrets = {} }: Pick<TaskDefinition, 'secrets'>, tenant: string): Promise<Secrets> {
    const names = Object.keys(secrets);
    if (names.length === 0) return noSecrets;
    const values = await Promise.all(
      Object.entries(secrets).map(async ([name, text]): Promise<SecretValue> => {
        const { key, asVariable } = parseSecret(text);
        return { name, key, asVariable, value: await this.#value(tenant, key) };
      }),
    );
    const hash = createHmac('sha256', this.#fingerprintKey);
    for (const { name, value } of values) hash.update(`${name} ${value.byteLength} `).update(value);
    return { values, fingerprint: hash.digest('base64') };
  }

  async #value(tenant: string, key: string): Promise<Uint8Array> {
    const { folder, variable } = this.#options;
    const places: string[] = [];
    if (folder !== '') {
      const path = join(folder, tenant, key);
      places.push(path);
      const found = await readSecret(path, key);
      if (found !== undefined) return found;
    }
    const name = `SPEAR_SECRET_${tenant}_${key}`;
    const found = variable(name);
    if (found !== undefined) return Buffer.from(found);
    places.push(`the variable ${name} of the node`);
    throw new LaunchError(
      'START_FAILED',
      `there is no secret ${key}: it was looked for at ${places.join(' and ')}`,
    );
  }
}

/** Undefined where there is no such file. Rejects with a LaunchError that says nothing of what is in it. */
async function readSecret(path: string, key: string): Promise<Uint8Array | undefined> {
  let file: FileHandle | undefined;
  try {
    // What is no file must not be waited for.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > mostBytes) {
      throw new LaunchError(
        'START_FAILED',
        `the secret ${key} at ${path} is no file of at most ${mostBytes} bytes`,
      );
    }
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof LaunchError) throw cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new LaunchError('START_FAILED', `the secret ${key} at ${path} cannot be read: ${code}`, { cause });
  } finally {
    await file?.close();
  }
}
