import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { entryUrl } from '../../entry.ts';
import { encodeMessage } from './channel.ts';
import type { CodeMessage } from './protocol.ts';

/** What a guest host runs: a text for its command line, and the message with the rest. */
export interface HostCode {
  readonly boot: string;
  /** Bytes to be written one after the other, for a host of this name. */
  message(name: string, network: boolean): Uint8Array[];
}

/** The relative imports of one of our modules, static or not, in code without types. */
const relativeImport = /\b(?:from|import\s*\(?)\s*['"](\.[^'"]+)['"]/g;

/** The module that runs guests. */
export const guestHostMain = entryUrl('../guest-host/main', import.meta.url);

/**
 * Reads the code of a host that begins with `main`, with every module that it imports of ours. Throws where a file is
 * missing.
 */
export function readHostCode(main: URL): HostCode {
  const texts = new Map<string, string>();
  const open = [main.href];
  for (let url = open.pop(); url !== undefined; url = open.pop()) {
    if (texts.has(url)) continue;
    const text = readModule(new URL(url));
    texts.set(url, text);
    for (const [, path = ''] of text.matchAll(relativeImport)) open.push(new URL(path, url).href);
  }
  const modules = Object.fromEntries([...texts].map(([url, text]) => [addressOf(url), text]));
  const attachment = Buffer.from(JSON.stringify(modules));
  const guards = networkGuards();
  return {
    boot: readModule(entryUrl('../guest-host/boot', import.meta.url)),
    message(name, network) {
      // Packages are found from here, as this module finds them.
      const given = { name, packages: import.meta.url, guards: network ? guards : '' };
      const head: CodeMessage = { kind: 'code', main: addressOf(main.href), ...given };
      return encodeMessage(head, [attachment]);
    },
  };
}

/**
 * What guards the network of guests, as a module that needs no other: it is loaded in a thread that has neither files
 * nor the host's own way to load modules.
 */
export function networkGuards(): string {
  return dataUrl(entryUrl('../guest-host/network/extension', import.meta.url));
}

/** The module with all that it imports of ours, as URLs in URLs. */
function dataUrl(url: URL): string {
  const text = readModule(url).replaceAll(relativeImport, (statement, path: string) =>
    statement.replace(path, dataUrl(new URL(path, url))),
  );
  return `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`;
}

function readModule(url: URL): string {
  const text = readFileSync(url, 'utf8');
  return url.pathname.endsWith('.ts') ? stripTypeScriptTypes(text) : text;
}

function addressOf(url: string): string {
  return url.replace(/^file:\/\//, 'spear:');
}
