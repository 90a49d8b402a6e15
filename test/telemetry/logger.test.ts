import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeWhere, root } from '../support/needs.ts';
import { smallDisk } from '../support/small-disk.ts';

/** Logs so many lines for each message, and then answers. */
const program = `
  import { openLog } from ${JSON.stringify(new URL('../../src/telemetry/logger.ts', import.meta.url).href)};
  const { logger } = openLog({ level: 'info', format: 'json' });
  process.on('message', ({ lines, text }) => {
    for (let line = 0; line < lines; line++) logger.info(text);
    process.send('logged');
  });
`;

describeWhere([root()], 'a log on a full disk', () => {
  test('ends no server, and goes on with the room', async () => {
    const disk = await smallDisk(2);
    const path = join(disk.path, 'log');
    const file = await open(path, 'a');
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', file.fd, 'inherit', 'ipc'],
    });
    onTestFinished(() => {
      child.kill();
    });
    await file.close();
    const log = async (lines: number, text: string) => {
      child.send({ lines, text });
      const [heard] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
      expect(heard).toBe('logged');
    };
    await log(1, 'before');
    const empty = await disk.fill();
    await log(2000, 'x'.repeat(1000));
    await empty();
    await log(2, 'after');
    const lines = (await readFile(path, 'utf8')).trim().split('\n');
    const texts = lines.map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect([texts[0], texts.at(-1)]).toEqual(['before', 'after']);
  });
});
