/** Folders of the host that would give a function the rights of the node are refused, when and however they are named. */
import { chmod, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorCode } from '../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind } from '../../src/server/gen/spearlet/task_pb.js';
import { startServer } from '../support/server.ts';
import { refusal } from './refusal.ts';

async function started() {
  const server = await startServer({ allowHostAccess: true });
  onTestFinished(() => server.stop());
  return server;
}

describe('a preopen', () => {
  test('with the data folder in it, or in it, is refused at registration by name', async () => {
    const server = await started();
    const { dataDir } = server;
    const link = `${dataDir}-link`;
    await symlink(join(dataDir, 'run'), link);
    onTestFinished(() => rm(link));
    for (const folder of [dataDir, join(dataDir, 'artifacts'), dirname(dataDir), '/', link]) {
      const preopens = { '/data': folder };
      const refused = await refusal(server.register('folders', 'misbehaving/cat.wasm', { preopens }));
      expect([folder, refused.code, Object.keys(refused.fields)]).toEqual([
        folder,
        'INVALID_ARGUMENT',
        ['definition.preopens."/data"'],
      ]);
      expect(refused.message).toContain('the data folder of the node');
    }
  });

  test('that has become one since its registration fails the attempt and gives nothing', async () => {
    const server = await started();
    const folder = `${server.dataDir}-shared`;
    await mkdir(folder);
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await server.register('folders', 'misbehaving/cat.wasm', { preopens: { '/data': folder } });
    const first = await server.functions.invokeFunction({ task: 'folders' });
    expect(first.result?.errorCode).toBe(ErrorCode.UNSPECIFIED);
    await rename(folder, `${folder}-away`);
    onTestFinished(() => rm(`${folder}-away`, { recursive: true }));
    await symlink(server.dataDir, folder);
    const { result } = await server.functions.invokeFunction({ task: 'folders' });
    expect(result?.errorCode).toBe(ErrorCode.START_FAILED);
    expect(result?.errorMessage).toContain('is in the data folder of the node');
  });
});

// Elsewhere a process function has the rights of the node's user, as SECURITY.md says.
test.skipIf(process.geteuid?.() !== 0)(
  'a process function of a root node cannot read the data folder, which others could enter before',
  async () => {
    // Not below /tmp, in whose place it has a folder of its own.
    const dataDir = await mkdtemp('/srv/spear-data-');
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    await chmod(dataDir, 0o755);
    const server = await startServer({ dataDir, allowHostAccess: true });
    onTestFinished(() => server.stop());
    const script = `cat ${dataDir}/spear.db 2>&1 | head -c 200; ls ${dataDir} 2>&1; echo ran`;
    await server.tasks.registerTask({
      definition: {
        name: 'read',
        runtime: RuntimeKind.PROCESS,
        artifact: { source: { case: 'path', value: '/bin/sh' } },
        args: ['-c', script],
      },
    });
    const { result } = await server.functions.invokeFunction({ task: 'read' });
    const output = Buffer.from(result?.output ?? []).toString();
    expect(output).toMatch(/^cat: .*Permission denied\nls: .*Permission denied\nran\n$/);
  },
);
