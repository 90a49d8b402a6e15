import { describe, expect, test } from 'vitest';
import { errorOf, http, withHttp } from './http.ts';

withHttp();

describe('the probes', () => {
  test('say that the server is alive and ready', async () => {
    expect(await http('GET', '/healthz')).toMatchObject({ code: 200 });
    const ready = await http('GET', '/readyz');
    expect(ready.code).toBe(200);
    expect(JSON.parse(ready.text)).toEqual({ ready: true, reason: 'serving' });
  });

  test('and other paths that are not there are 404 with a reason', async () => {
    for (const path of ['/metrics/', '/nothing', '/api', '/api/', '/tasks', '/statusx', '/%00', '//']) {
      const answer = await http('GET', path);
      expect(answer.code, path).toBe(404);
      expect(errorOf(answer)).toMatchObject({ reason: expect.stringMatching(/^[A-Z_]+$/) });
    }
  });
});
