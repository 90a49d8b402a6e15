/** Executions as they are met at three in the morning. */
import { Recording } from './recording.ts';

const retry = { maxAttempts: 3, initialMs: 2000, factor: 4, maxMs: 30_000, jitter: 0, on: [] };

export function completed(): Recording {
  const run = new Recording('thumbnail', { queueMs: 30_000 });
  run.wait(180).dispatch();
  run
    .wait(40)
    .write(
      'stdout',
      '\u001b[36mthumbnail 2.4.1\u001b[0m\nreading \u001b[1mphoto.heic\u001b[0m (4032×3024)\n',
    );
  for (let step = 1; step <= 24; step += 1) {
    run
      .wait(35 + (step % 5) * 12)
      .write('stdout', `scaled to \u001b[32m${step * 64}\u001b[0m px, ${step * 41} ms\n`);
  }
  run.wait(20).write('stderr', '\u001b[33mwarning:\u001b[0m no colour profile, sRGB assumed\n');
  run.wait(90).write('stdout', 'done\n');
  return run.wait(6).send({
    type: 'attemptEnded',
    end: {
      kind: 'completed',
      exitCode: 0,
      output: JSON.stringify({
        images: [1, 2, 3].map((size) => ({
          width: size * 256,
          height: size * 192,
          bytes: size * 14_212,
          url: `s3://thumbs/${size}.webp`,
        })),
        profile: null,
        took: { decode: 112, scale: 640, encode: 203 },
        warnings: ['no colour profile'],
      }),
    },
    random: 0,
  });
}

export function failedAfterRetries(): Recording {
  const run = new Recording('import-orders', { retry, attemptMs: 60_000 });
  run.wait(1300).dispatch();
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    run.wait(60).write('stdout', `attempt ${attempt}: connecting to orders-db:5432\n`);
    for (let row = 1; row <= 30; row += 1) run.wait(70).write('stdout', `imported batch ${row} of 412\n`);
    run
      .wait(300)
      .write(
        'stderr',
        '\u001b[31mError: duplicate key value violates unique constraint "orders_pkey"\u001b[0m\n    at insertBatch (/app/import.js:88:11)\n    at async main (/app/import.js:31:5)\n',
      );
    run.wait(12).send({
      type: 'attemptEnded',
      end: { kind: 'failed', code: 'FUNCTION_EXIT', message: 'the program exited with code 1', exitCode: 1 },
      random: 0.5,
    });
    if (attempt === 3) break;
    // The retry is due, and soon after has a slot.
    run.wait(attempt === 1 ? 2000 : 8000).send({ type: 'alarm' });
    run.wait(5).dispatch();
  }
  return run;
}

export function timedOutWithKill(): Recording {
  const run = new Recording('render-report', { attemptMs: 20_000, queueMs: 60_000 });
  run.wait(420).dispatch();
  run.wait(110).write('stdout', 'rendering 3 120 pages\n');
  for (let page = 1; page <= 160; page += 1) run.wait(80 + (page % 9) * 8).write('stdout', `page ${page}\n`);
  run.wait(1800).write('stderr', 'worker 4 does not answer, waiting for its lock\n');
  run.wait(19_580 - 160 * 112 + 1500);
  run.send({ type: 'alarm' });
  run.wait(900).write('stderr', 'SIGTERM ignored while the lock is held\n');
  return run.wait(4_160).send({ type: 'attemptEnded', end: { kind: 'stopped', rung: 'kill' }, random: 0 });
}

export function held(): Recording {
  const run = new Recording('nightly-billing', { queueMs: 120_000 });
  return run.wait(2400).send({ type: 'suspend' });
}

export function suspended(): Recording {
  const run = new Recording('train-model', { totalMs: 3_600_000 });
  run.wait(300).dispatch();
  for (let epoch = 1; epoch <= 40; epoch += 1)
    run.wait(450).write('stdout', `epoch ${epoch} loss ${(3 / epoch).toFixed(4)}\n`);
  return run.wait(200).send({ type: 'paused' });
}

export function recovered(): Recording {
  const run = new Recording('sync-mirror', { totalMs: 900_000 });
  run.wait(90).dispatch();
  for (let file = 1; file <= 25; file += 1) run.wait(120).write('stdout', `copied object ${file}\n`);
  run.wait(41_000).send({ type: 'lost', message: 'the node was restarted' });
  run.wait(4).send({ type: 'alarm' });
  run.wait(10).dispatch();
  for (let file = 26; file <= 60; file += 1) run.wait(90).write('stdout', `copied object ${file}\n`);
  return run.wait(40).send({ type: 'attemptEnded', end: { kind: 'completed', exitCode: 0 }, random: 0 });
}

export function running(): Recording {
  const run = new Recording('crawl', { startAt: Date.UTC(2026, 10, 22, 2, 41, 17, 310), retry });
  run.wait(10_000).send({ type: 'alarm' });
  run.wait(700).dispatch();
  for (let page = 1; page <= 80; page += 1)
    run.wait(60).write(page % 17 === 0 ? 'stderr' : 'stdout', `GET /page/${page} 200\n`);
  return run;
}

/** What a function writes that means harm. */
export function hostile(): Recording {
  const run = new Recording('hostile');
  run.wait(10).dispatch();
  run.wait(5).write('stdout', '<img src=x onerror=alert(1)><script>alert(2)</script>\n');
  run
    .wait(5)
    .write(
      'stderr',
      'bell \u0007 back\u0008 nul \u0000 esc \u001b]0;title\u0007 turn \u202egnp.exe\u202c zero\u200bwidth\n',
    );
  run.wait(5).write('stdout', `${'x'.repeat(3_000_000)}\n`);
  run.wait(5).write('stdout', 'wide 漢字かな 👩‍👩‍👧 tab\tstop\r\nprogress 1%\rprogress 2%\rprogress 3%\n');
  return run.wait(5).send({
    type: 'attemptEnded',
    end: { kind: 'failed', code: 'TRAP', message: '<b>unreachable</b>\u202e' },
    random: 0,
  });
}

export const recordings: Readonly<Record<string, () => Recording>> = {
  completed,
  failed: failedAfterRetries,
  'timed-out': timedOutWithKill,
  held,
  suspended,
  recovered,
  running,
  hostile,
};
