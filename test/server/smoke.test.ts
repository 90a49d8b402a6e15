import { expect, test } from 'vitest';
import { startServer } from '../support/server.ts';
import { expectWholeLog, statesOf } from './grammar.ts';
test('smoke', async () => {
  console.time('start');
  const s = await startServer();
  console.timeEnd('start');
  for (const [n, p] of [['wc', 'wordcount/wordcount.wasm'], ['typed', 'typed/typed.wasm'], ['noop','noop/noop.wasm'],['loop','misbehaving/loop.wasm']] as const) {
    console.time('reg' + n);
    await s.register(n, p);
    console.timeEnd('reg' + n);
  }
  const events = await Array.fromAsync(s.functions.streamFunction({ task: 'wc', input: Buffer.from('a b c\n') }));
  console.log(statesOf(events), expectWholeLog(events));
  console.time('stop');
  await s.stop();
  console.timeEnd('stop');
});
