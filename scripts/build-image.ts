/**
 * Builds the container image.
 *
 *     npm run build:image -- [--tag spear:VERSION] [--base IMAGE]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { buildImage } from './image.ts';

const file = new URL('../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
const { values } = parseArgs({ options: { tag: { type: 'string' }, base: { type: 'string' } } });
buildImage(values.tag ?? `spear:${version}`, values.base);
