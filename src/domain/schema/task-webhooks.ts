/** Who is told of the ends of executions. */
import { defaultSecret, type EndStatus, type EndWebhook, endStatuses, mostWebhooks } from '../webhook.ts';
import { field, list, object, oneOf, optional, text } from './check.ts';
import { flag } from './form.ts';
import { mostPathBytes, secretKey } from './values.ts';

export const webhooks = list(
  object<EndWebhook>(
    {
      url: field(text(mostPathBytes, /^https?:\/\//, { words: { what: 'a URL', allowed: 'https://…' } }), {
        means: 'Where it is told, by POST.',
      }),
      statuses: optional(list(oneOf<EndStatus>(...endStatuses), endStatuses.length), {
        means: 'The ends that it is told of.',
        defaultWords: 'all',
      }),
      secret: optional(secretKey, {
        means: "The key of the node's secret that signs: `whsec_` and base64.",
        defaultWords: `\`${defaultSecret}\``,
      }),
    },
    {
      pattern: /^(?:(?<statuses>[a-z_,-]*)@)?(?<url>https?:[^#]*)(?:#(?<secret>.*))?$/,
      allowed: 'URL, STATUSES@URL or STATUSES@URL#SECRET, such as failed,timed-out@https://example.com/hook',
    },
  ),
  mostWebhooks,
);

export const onEnd = optional(webhooks, {
  means: 'Who is told of the end of each execution, by a signed POST. See webhooks.md.',
  shown: 'on end',
  ...flag(
    '--on-end <webhook>',
    '[STATUSES@]URL[#SECRET], such as failed@https://… (repeatable)',
    'What runs:',
  ),
});
