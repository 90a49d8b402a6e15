/** The view of one execution alone, for tests: shows what it is given, as a node or as a file. */
import { signal } from '@preact/signals';
import { h, render } from 'preact';
import { startClock } from '../../../../../src/visualizer/page/clock.ts';
import { ExecutionView } from '../../../../../src/visualizer/page/execution/execution-view.tsx';
import { openFile } from '../../../../../src/visualizer/page/execution/offline-source.ts';
import { startKeys } from '../../../../../src/visualizer/page/keyboard/keys.ts';
import type { ExecutionSource } from '../../../../../src/visualizer/page/model/execution-source.ts';
import { eventOf } from '../../../../../src/visualizer/page/model/log-event.ts';
import type { Machine } from '../../../../../src/visualizer/page/model/machine.ts';
import type { StreamExecutionResultJson } from '../../../../../src/visualizer/page/wire.ts';
import '../../../../../src/visualizer/page/theme/tokens.css';
import '../../../../../src/visualizer/page/theme/base.css';
import './stage.css';

interface Stage {
  /** Shows a file; `live` makes it look like an execution of a node that goes on. Rejects as `openFile` does. */
  show(name: string, text: string, machines: readonly Machine[], live: boolean): Promise<void>;
  /** More events of the one that is shown. */
  append(events: readonly StreamExecutionResultJson[]): void;
  /** The event that it travelled to. */
  at(): number | undefined;
  travel(sequence: number | undefined): void;
}

let shown: ExecutionSource | undefined;
const place = document.getElementById('stage') as HTMLElement;
startClock();
startKeys();

const stage: Stage = {
  async show(name, text, machines, live) {
    const source = await openFile(new File([text], name), machines);
    shown = live ? asLive(source) : source;
    render(null, place);
    render(h(ExecutionView, { source: shown }), place);
  },
  append(events) {
    shown?.events.append(events.flatMap((event) => eventOf(event) ?? []));
  },
  at: () => shown?.at.value,
  travel(sequence) {
    if (shown !== undefined) shown.at.value = sequence;
  },
};
Object.assign(window, { stage });

function asLive(source: ExecutionSource): ExecutionSource {
  const act = (name: 'suspend' | 'cancel' | 'rerun', label: string, danger = false) => ({
    name,
    label,
    danger,
    refusal: '',
    run: () => {},
  });
  return {
    ...source,
    live: true,
    actions: signal([act('suspend', 'Suspend'), act('cancel', 'Cancel', true), act('rerun', 'Run again')]),
    downloads: signal({ history: () => {}, snapshot: () => {} }),
    explanation: async () => {
      const row = source.record.value;
      const held = row?.state === 'pending.held';
      return {
        status: row?.status ?? 'pending',
        state: row?.state ?? '',
        summary: held
          ? 'It is held: it starts nothing until somebody resumes it.'
          : 'Attempt 1 runs in an instance of its own.',
        details: held
          ? ['Its queue timeout stands still; its total timeout goes on.']
          : ['It wrote its last output 2 s ago.'],
        queuePlace: 0,
        queueLength: 4,
        heldBy: [],
        goesOnAt: undefined,
        endsAt: (row?.createdAt ?? 0) + 300_000,
      };
    },
    invocation: async () => ({
      functionName: '',
      parameters: {
        bucket: 'photos',
        sizes: [256, 512, 1024],
        options: { format: 'webp', quality: 82, strip: true },
      },
      input: new TextEncoder().encode('{"order":4711,"lines":[{"sku":"A-12","qty":3}]}'),
      inputBytes: 47,
      contentType: 'application/json',
      args: ['--verbose', 'two words'],
      environment: {},
      forceNewInstance: false,
    }),
  };
}
