/** Walks through docs/rerun.md: its commands on a node, in their order. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../cli/spear.ts';
import { type LocalServer, startServer } from '../support/server.ts';
import { blocksOf, readDocument } from './readme.ts';

let server: LocalServer;
let executionId = '';

beforeAll(async () => {
  server = await startServer({ slots: '2' });
  await server.register('import', 'misbehaving/exit.wasm');
  for (const code of ['3', '4', '0']) {
    ({ executionId } = await server.functions.invokeFunction({ task: 'import', args: [code] }));
  }
  await server.register('import', 'misbehaving/cat.wasm');
});

afterAll(() => server.stop());

const spear = async (command: string) => {
  const args = command.split(' ').slice(1);
  const ended = await run(args, { address: server.grpcAddress });
  return { ...ended, stdout: ended.stdout.toString().replace(/ {2,}/g, '  ') };
};

test('every command of the page works as it stands, and tells what the page says', async () => {
  const commands = blocksOf(await readDocument('docs/rerun.md')).flat();
  expect(commands).toHaveLength(5);
  const told: string[] = [];
  for (const command of commands) {
    const { code, stdout, stderr } = await spear(command.replace('$FAILED', executionId));
    expect([command, code, code === 64 ? stderr : '']).toEqual([command, told.length === 2 ? 1 : 0, '']);
    told.push(stdout);
  }
  const [one, dry, bulk, first, second] = told;
  expect(one).toMatch(
    /^meant {2}1\ncan run again {2}1\nstarted {2}1\ncompleted {2}1\nrun {2}[0-9a-f-]{36}\n$/,
  );
  expect(dry).toBe('meant  2\ncan run again  2\n');
  expect(bulk).toMatch(/^meant {2}2\ncan run again {2}2\nstarted {2}2\ncompleted {2}0\nfailed {2}2\nrun {2}/);
  expect(first).toBe('meant  4\ncan run again  4\nstarted  4\ncompleted  4\nrun  after-the-fix\n');
  expect(second).toBe(
    'meant  4\ncan run again  4\nstarted  4, 4 of them by an earlier call\ncompleted  4\nrun  after-the-fix\n',
  );
  const { stdout } = await spear('spear list --task import --json');
  const { executions } = JSON.parse(stdout);
  expect(executions).toHaveLength(3 + 1 + 2 + 4);
  const [newest] = executions;
  const status = await spear(`spear status ${newest.executionId}`);
  expect(status.stdout).toContain(`runs again  ${newest.rerunOfExecutionId}\n`);
});

test('what the command does not take is told in its own words', async () => {
  for (const [command, exit, words] of [
    ['spear rerun', 64, 'nothing says which executions; allowed are ID, --task, --batch, --schedule'],
    [`spear rerun ${executionId} --task import`, 64, '--task: stands beside ID'],
    ['spear rerun nothing', 64, 'ID: "nothing" is not an execution id'],
    ['spear rerun --task none', 127, 'no task "none"'],
    [
      'spear rerun --task import --status running',
      64,
      '--status: is "running"; allowed are completed, failed',
    ],
    ['spear rerun --task import --code OOPS', 64, '--code: is "OOPS"; allowed are FUNCTION_ERROR'],
    ['spear rerun --task import --rerun-id a/b', 64, '--rerun-id: is "a/b"; allowed are 1 to 63'],
    ['spear rerun --task import --revision 0', 64, '--revision: has the revision "0"'],
    ['spear rerun --task import --max-in-flight 5000', 64, '--max-in-flight: is 5000; allowed are 1 to 1000'],
    [`spear rerun ${executionId}`, 1, `${executionId} was run again already, as exec_`],
  ] as const) {
    const { code, stderr } = await spear(command);
    expect([command, code]).toEqual([command, exit]);
    expect(stderr).toContain(words);
  }
});
