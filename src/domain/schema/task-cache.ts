/** When an execution may have the result of an earlier one. */
import { defaultCachedBytes, mostCachedBytes } from '../cache.ts';
import type { CachePolicy } from '../task.ts';
import { duration, field, object, optional, truth, whole } from './check.ts';
import { flag } from './form.ts';
import { longestMs } from './values.ts';

export const cache = optional(
  object<CachePolicy>(
    {
      ttlMs: field(duration(1000, longestMs), { means: 'How long a result is used, from its end on.' }),
      maxBytes: optional(whole(0, mostCachedBytes, 'bytes'), {
        means: 'Of the output of one result; a larger one is not kept.',
        defaultWords: `${defaultCachedBytes / 1024 ** 2} MiB`,
        isMost: true,
      }),
      insist: optional(truth, {
        means: 'Also for a task with host folders, the network or secrets, or of the process runtime.',
        defaultWords: 'false',
      }),
    },
    {
      pattern: /^(?<ttlMs>[^:]*)(?::(?<maxBytes>(?!insist$)[^:]*))?(?::(?<insist>insist))?$/,
      allowed: 'TTL, TTL:MAX_BYTES, TTL:insist or TTL:MAX_BYTES:insist',
    },
  ),
  {
    means:
      'The function is a pure one: results are kept for so long, and an equal call of the same revision ends at once with the one that is there, or with the run of another that is under way. See cache.md.',
    ...flag('--cache <policy>', 'TTL[:MAX_BYTES][:insist], such as 10m or 1h:4MiB', 'Limits:'),
  },
);
