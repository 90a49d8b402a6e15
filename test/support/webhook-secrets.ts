import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDataDir } from './server.ts';
import { signingSecret } from './webhook-receiver.ts';

/** A folder for `serve --secrets-dir` in which the default tenant has the key that receivers of tests know. */
export async function secretsFolder(): Promise<string> {
  const folder = await temporaryDataDir();
  await mkdir(join(folder, 'default'));
  await writeFile(join(folder, 'default', 'webhook'), `${signingSecret}\n`);
  return folder;
}
