/** What proto JSON may leave out of the messages that the page reads from files; run, it writes it where the page has it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { create, type DescMessage, toJson } from '@bufbuild/protobuf';
import {
  ExecutionResultSchema,
  StreamExecutionResultSchema,
  TransitionSchema,
} from '../src/server/gen/spearlet/function_pb.js';

export const defaultsPath = 'src/visualizer/page/gen/defaults.ts';

const messages: readonly DescMessage[] = [
  ExecutionResultSchema,
  StreamExecutionResultSchema,
  TransitionSchema,
];

/** The source of the page's file, with a constant for each message. */
export function pageDefaults(): string {
  const constants = messages.map((message) => {
    const defaults = toJson(message, create(message), { alwaysEmitImplicit: true });
    const name = `${message.name.slice(0, 1).toLowerCase()}${message.name.slice(1)}Defaults`;
    return `export const ${name} = ${JSON.stringify(defaults, null, 2)} as const;\n`;
  });
  return ['/** Made by `npm run generate`. */\n', ...constants].join('\n');
}

if (import.meta.main) {
  await mkdir(dirname(defaultsPath), { recursive: true });
  await writeFile(defaultsPath, pageDefaults());
}
