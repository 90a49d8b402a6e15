import { create } from '@bufbuild/protobuf';
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { sharesText } from '../../domain/revisions/alias.ts';
import {
  type ListRevisionsResponse,
  ListRevisionsResponseSchema,
  type Revision,
} from '../../server/gen/spearlet/revision_pb.js';
import type { TaskAlias } from '../../server/gen/spearlet/task_pb.js';
import { exitCodes } from '../exit-codes.ts';
import { onServer, type Session } from '../session.ts';
import { aliasText } from '../shares.ts';
import { note, type Shell } from '../shell.ts';
import { Table } from '../table.ts';

const largestPage = 1000;

export function taskRevisionsCommand(shell: Shell): Command {
  const command = new Command('revisions')
    .description('list what a task was, what each revision has changed, and which calls it gets')
    .argument('<task>', 'name or id');
  onServer(command, shell, async (session, _options, [task = '']) => {
    const all = await everyPage(session, task);
    if (session.json) {
      await session.printDocument(ListRevisionsResponseSchema, all);
      return exitCodes.completed.code;
    }
    const table = new Table(shell.out, ['REVISION', 'CALLS', 'ALIASES', 'REGISTERED', 'CHANGED'], {
      optional: ['REGISTERED', 'CHANGED'],
      elastic: ['CHANGED'],
    });
    await table.write(all.revisions.map((revision) => row(revision, all.aliases)));
    for (const alias of all.aliases) await note(shell, aliasText(alias));
    return exitCodes.completed.code;
  });
  return command;
}

async function everyPage(session: Session, task: string): Promise<ListRevisionsResponse> {
  const revisions: Revision[] = [];
  for (let pageToken = ''; ; ) {
    const page = await session.revisions.listRevisions({ task, pageSize: largestPage, pageToken });
    revisions.push(...page.revisions);
    pageToken = page.nextPageToken;
    if (pageToken === '') return create(ListRevisionsResponseSchema, { ...page, revisions });
  }
}

function row(revision: Revision, aliases: readonly TaskAlias[]): readonly string[] {
  const { registeredAt, changed, percent } = revision;
  const named = aliases.filter(({ shares }) => shares.some((share) => share.revision === revision.revision));
  return [
    String(revision.revision),
    percent === 0 ? '-' : `${percent}%`,
    named.map(({ name, shares }) => (shares.length > 1 ? `${name}=${sharesText(shares)}` : name)).join(' '),
    registeredAt === undefined ? '-' : timestampDate(registeredAt).toISOString(),
    changed.join(', '),
  ];
}
