/** The page of a node that is reached over TLS. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { connect } from '../../../src/client/channel.ts';
import { pageLink } from '../../../src/config.ts';
import { AccessService } from '../../../src/server/gen/spearlet/access_pb.js';
import { FunctionService } from '../../../src/server/gen/spearlet/function_pb.js';
import { RuntimeKind, TaskService } from '../../../src/server/gen/spearlet/task_pb.js';
import { sharedBrowser, visit } from '../../support/browser.ts';
import { chromium, describeWhere } from '../../support/needs.ts';
import { example, startServer } from '../../support/server.ts';
import { ListPage } from './list-page.ts';

describeWhere([await chromium()], 'a page over TLS', () => {
  test('is signed in to, hears of what happens, downloads, and may open an inspector', async () => {
    const server = await startServer({ tlsSelfSigned: true, anonymousRole: 'none' });
    onTestFinished(() => server.stop());
    const local = connect(`unix:${join(server.dataDir, 'run', 'node.sock')}`);
    onTestFinished(() => local.close());
    await local.service(TaskService).registerTask({
      definition: {
        ...{ name: 'noop', runtime: RuntimeKind.WASM },
        artifact: { source: { case: 'content', value: await example('noop/noop.wasm') } },
      },
    });
    const { code, tls, httpAddress } = await local.service(AccessService).createPageCode({});
    const reader = await visit(
      await sharedBrowser(),
      server.httpAddress,
      { ignoreHTTPSErrors: true },
      'https',
    );
    onTestFinished(() => reader.close());
    const { page } = reader;
    await page.goto(pageLink(httpAddress, code, tls));
    await page.getByText('Live', { exact: true }).waitFor();
    const { executionId } = await local
      .service(FunctionService)
      .invokeFunction({ task: 'noop', functionName: 'noop' });
    await new ListPage(page).row(executionId).getByText('Completed').waitFor();
    const answers = await page.evaluate(
      async ({ path }) => {
        const token = Object.values(localStorage)
          .map((value) => /spear_page_[\w-]+/.exec(String(value))?.[0])
          .find((found) => found !== undefined);
        const made = await fetch('/api/tickets', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
          body: JSON.stringify({ path }),
        });
        const ticket = (await made.json()) as { path: string };
        const history = await (await fetch(ticket.path)).text();
        const socket = new WebSocket(`wss://${location.host}/api/inspect`, ['spear', `spear.token.${token}`]);
        const record = await new Promise<string>((resolve) => {
          socket.onmessage = ({ data }) => resolve(String(data));
          socket.onclose = ({ code }) => resolve(`closed with ${code}`);
        });
        socket.close();
        return { history, record };
      },
      { path: `/api/history/${executionId}` },
    );
    expect(answers.history).toContain(executionId);
    expect(answers.record).toContain('@xstate');
    expect(reader.faults).toEqual([]);
    expect(server.bugs).toEqual([]);
  });
});
