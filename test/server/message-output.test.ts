import type { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { MessageOutput } from '../../src/server/message-output.ts';

/** A call whose reader takes a message when it is told to. */
class ScriptedCall extends Writable {
  cancelled = false;
  #taken: (() => void) | undefined;

  constructor() {
    super({ objectMode: true });
  }

  override _write(_message: unknown, _encoding: string, done: () => void): void {
    this.#taken = done;
  }

  take(): void {
    this.#taken?.();
  }
}

function sinkOf(call: EventEmitter): MessageOutput {
  return new MessageOutput(call as never);
}

/** Sends until it is told to wait. */
function fill(sink: MessageOutput): { readonly sent: number; readonly room: Promise<void> } {
  for (let sent = 1; ; sent++) {
    const room = sink.send({ sent });
    if (room !== undefined) return { sent, room };
  }
}

test('a reader that takes nothing is given a few messages and no more', () => {
  const call = new ScriptedCall();
  expect(fill(sinkOf(call)).sent).toBe(4);
  expect(call.writableLength).toBe(4);
});

test('there is room again when the reader has taken one', async () => {
  const call = new ScriptedCall();
  const sink = sinkOf(call);
  const { room } = fill(sink);
  call.take();
  await room;
  expect(fill(sink).sent).toBe(1);
});

test.each(['cancelled', 'close', 'error'])('nobody waits for a reader that is gone by %s', async (event) => {
  const call = new ScriptedCall();
  const { room } = fill(sinkOf(call));
  call.emit(event);
  await room;
  expect(call.listenerCount(event)).toBe(0);
});
