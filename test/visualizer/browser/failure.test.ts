/** Executions that did not end well: what went wrong stands first. */
import { durationFromMs } from '@bufbuild/protobuf/wkt';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { RuntimeKind } from '../../../src/server/gen/spearlet/task_pb.js';
import { chromium, describeWhere, root } from '../../support/needs.ts';
import { ExecutionPage } from './execution-page.ts';
import { useSite } from './site.ts';

describeWhere([await chromium()], 'an execution that went wrong', () => {
  const site = useSite({ allowHostAccess: 'true' }, async (server) => {
    await server.register('trap', 'misbehaving/trap.wasm');
    await server.register('exit', 'misbehaving/exit.wasm');
    await server.register('loop', 'misbehaving/loop.wasm', { timeouts: { attempt: durationFromMs(300) } });
    await server.register('hog', 'misbehaving/hog.wasm', { limits: { memory: 32n * 1024n * 1024n } });
  });

  async function ended(invocation: Parameters<typeof site.invoke>[0]) {
    const executionId = await site.invoke(invocation);
    await site.server.functions.waitExecution({ executionId });
    const { page } = await site.visit(`/?execution=${executionId}`);
    const failure = page.getByRole('region', { name: 'What went wrong' });
    await failure.waitFor();
    return { page, failure, seen: new ExecutionPage(page) };
  }

  async function standsFirst(page: Page): Promise<void> {
    const names = await page
      .locator('article.execution section[aria-label]')
      .evaluateAll((sections) => sections.map((section) => section.getAttribute('aria-label')));
    expect(names[0]).toBe('What went wrong');
    const box = await page.getByRole('region', { name: 'What went wrong' }).boundingBox();
    // On screen without scrolling.
    expect((box?.y ?? 0) + 40).toBeLessThan(page.viewportSize()?.height ?? 0);
  }

  test('of itself says so first: code, message, and what it wrote last', async () => {
    const { page, failure, seen } = await ended({ task: 'trap' });
    await standsFirst(page);
    await failure.getByText('TRAP', { exact: true }).waitFor();
    await failure.getByText('user', { exact: true }).waitFor();
    await failure
      .getByText(/unreachable/)
      .first()
      .waitFor();
    await failure.getByText('before the trap').waitFor();
    await seen.lit('failed');
    await failure.getByRole('button', { name: 'Go to the event' }).click();
    // Nothing but its end has this code, and that is where it is.
    await seen.events.locator('.event-row[aria-selected=true]').getByText(/TRAP/).waitFor();
    expect(await seen.past.count()).toBe(0);
    await seen.lit('failed');
    await failure.waitFor();
  });

  test('with an exit code tells it, and the last line on stderr', async () => {
    const { failure } = await ended({ task: 'exit', args: ['42'] });
    await failure.getByText('FUNCTION_EXIT', { exact: true }).waitFor();
    await failure.locator('dd', { hasText: /^42$/ }).waitFor();
    await failure.getByText('leaving', { exact: true }).waitFor();
    await failure.getByText('What to do').waitFor();
  });

  test('by its deadline says which, and how its thread was ended', async () => {
    const { page, failure, seen } = await ended({ task: 'loop' });
    await standsFirst(page);
    await failure.getByText('ATTEMPT_TIMEOUT', { exact: true }).waitFor();
    await failure.getByText('policy', { exact: true }).waitFor();
    await failure.locator('dd', { hasText: '300 ms' }).first().waitFor();
    const worked = failure.getByRole('listitem').and(page.locator('[data-outcome=worked]'));
    await expect.poll(() => worked.textContent()).toMatch(/Guest host killed.*gone after/);
    await seen.lit('timedOut');
    await seen.way('running.stopping', 'timedOut').waitFor();
  });

  test('by its memory says what it had used', async () => {
    const { failure } = await ended({ task: 'hog' });
    await failure.getByText(/^(MEMORY_LIMIT|TRAP)$/).waitFor();
    await failure.getByText('Peak memory').waitFor();
  });

  test.runIf(root() === '')(
    'and would not go shows the rung that worked, and the one that did not',
    async () => {
      await site.server.tasks.registerTask({
        definition: {
          name: 'stubborn',
          runtime: RuntimeKind.PROCESS,
          artifact: { source: { case: 'path', value: '/bin/sh' } },
          args: ['-c', "trap '' TERM; echo up; while :; do :; done"],
          // Long enough for it to have set its trap, also on a busy machine.
          timeouts: { attempt: durationFromMs(3000) },
          grace: durationFromMs(100),
        },
      });
      const { page, failure } = await ended({ task: 'stubborn' });
      await failure.getByText('ATTEMPT_TIMEOUT', { exact: true }).waitFor();
      const rungs = failure.locator('.ladder').getByRole('listitem');
      await expect.poll(() => rungs.count()).toBe(2);
      await expect.poll(() => rungs.first().getAttribute('data-outcome')).toBe('did not work');
      await expect.poll(() => rungs.first().textContent()).toContain('SIGTERM');
      await expect
        .poll(() => rungs.last().and(page.locator('[data-outcome=worked]')).textContent())
        .toContain('SIGKILL');
    },
  );

  test('is found in the list by its code', async () => {
    await site.server.functions.waitExecution({ executionId: await site.invoke({ task: 'loop' }) });
    site.putUnderLoad();
    const { page } = await site.visit('/?status=failed,timedOut');
    const row = page.locator('.row', { hasText: 'ATTEMPT_TIMEOUT' }).first();
    await row.getByText('Timed out', { exact: true }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('attempt_timeout');
    await expect
      .poll(async () => [...new Set(await page.locator('.row:not(.head) .task').allTextContents())])
      .toContain('loop');
  });
});
