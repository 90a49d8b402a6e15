/** RevisionService: what a task was, and what its name goes to. */
import { create, toJson } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { maySeeVariables } from '../domain/access.ts';
import { invalidArgument } from '../domain/errors.ts';
import type { JsonValue } from '../domain/execution.ts';
import { sharesOf, sharesText, type TaskAlias } from '../domain/revisions/alias.ts';
import { differences, type FieldChange } from '../domain/revisions/difference.ts';
import type { AliasWish, Revisions } from '../domain/revisions/port.ts';
import { liveAlias, type RevisionWish, revisionWish } from '../domain/revisions/reference.ts';
import { assertOneTenant, type Scope, tenantOf } from '../domain/scope.ts';
import type { Task } from '../domain/task.ts';
import type { CallContext, UnaryHandler } from './call.ts';
import {
  type CompareRevisionsRequest,
  type CompareRevisionsResponse,
  CompareRevisionsResponseSchema,
  type DeleteAliasRequest,
  type DeleteAliasResponse,
  DeleteAliasResponseSchema,
  type DeleteRevisionRequest,
  type DeleteRevisionResponse,
  DeleteRevisionResponseSchema,
  type ListRevisionsRequest,
  type ListRevisionsResponse,
  ListRevisionsResponseSchema,
  type RollbackAliasRequest,
  type RollbackAliasResponse,
  RollbackAliasResponseSchema,
  type SetAliasRequest,
  type SetAliasResponse,
  SetAliasResponseSchema,
} from './gen/spearlet/revision_pb.js';
import { TaskDefinitionSchema } from './gen/spearlet/task_pb.js';
import type { PageTokens } from './page-tokens.ts';
import { aliasToWire } from './wire/alias.ts';
import { pageSize, reference, text } from './wire/fields.ts';
import { taskToWire } from './wire/task.ts';

export interface RevisionServiceOptions {
  readonly revisions: Revisions;
  readonly pageTokens: PageTokens;
  /** Hears who has moved what. */
  moved(entry: Readonly<Record<string, unknown>>): void;
}

export interface RevisionService {
  readonly listRevisions: UnaryHandler<ListRevisionsRequest, ListRevisionsResponse>;
  readonly compareRevisions: UnaryHandler<CompareRevisionsRequest, CompareRevisionsResponse>;
  readonly deleteRevision: UnaryHandler<DeleteRevisionRequest, DeleteRevisionResponse>;
  readonly setAlias: UnaryHandler<SetAliasRequest, SetAliasResponse>;
  readonly rollbackAlias: UnaryHandler<RollbackAliasRequest, RollbackAliasResponse>;
  readonly deleteAlias: UnaryHandler<DeleteAliasRequest, DeleteAliasResponse>;
}

export function createRevisionService({
  revisions,
  pageTokens,
  moved,
}: RevisionServiceOptions): RevisionService {
  const tell = (task: Task, name: string, by: string, before?: TaskAlias, now?: TaskAlias): void => {
    const said = (alias: TaskAlias | undefined) => (alias === undefined ? '' : sharesText(sharesOf(alias)));
    const [from, to] = [said(before), said(now)];
    moved({ by, tenant: tenantOf(task), task: task.definition.name, alias: name, from, to });
  };

  return {
    async listRevisions(request, { scope, principal }) {
      const task = await newestOf(revisions, scope, request.task);
      const limit = pageSize(request.pageSize);
      const token = pageTokens.open('revisions', request.pageToken);
      const before = token === '' ? task.revision + 1 : Number(token);
      const found = await revisions.list(task, before, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const aliases = await revisions.aliases(task);
      const served = revisions.served(task, aliases);
      const withValues = maySeeVariables(principal);
      return create(ListRevisionsResponseSchema, {
        taskId: task.taskId,
        taskName: task.definition.name,
        aliases: aliases.map(aliasToWire),
        nextPageToken:
          found.length > limit && last !== undefined
            ? pageTokens.seal('revisions', String(last.revision))
            : '',
        revisions: page.map((each, index) => {
          const earlier = found[index + 1];
          const share = served.find(({ revision }) => revision === each.revision);
          return {
            revision: each.revision,
            registeredAt: timestampFromMs(each.updatedAt),
            changed: earlier === undefined ? [] : pathsOf(changesBetween(earlier, each, withValues)),
            artifactSha256: digestOf(each),
            percent: share?.percent ?? 0,
          };
        }),
      });
    },

    async compareRevisions(request, { scope, principal }) {
      assertOneTenant(scope, 'a comparison of revisions');
      const name = reference('task', request.task);
      const to = await revisions.one(scope, name, wishFrom('to', request.to));
      const wanted = wishFrom('from', request.from);
      const from =
        wanted === undefined ? await earlierThan(revisions, to) : await revisions.one(scope, name, wanted);
      return create(CompareRevisionsResponseSchema, {
        from: from.revision,
        to: to.revision,
        changes: changesBetween(from, to, maySeeVariables(principal)).map(({ path, before, after }) => ({
          path,
          before: before === undefined ? '' : JSON.stringify(before),
          after: after === undefined ? '' : JSON.stringify(after),
        })),
      });
    },

    async deleteRevision(request, { scope }) {
      assertOneTenant(scope, 'a revision');
      if (request.revision === 0) throw invalidArgument('revision', 'is 0; allowed are numbers from 1 on');
      const task = await revisions.remove(scope, reference('task', request.task), request.revision);
      return create(DeleteRevisionResponseSchema, { taskId: task.taskId });
    },

    async setAlias(request, call) {
      const wish = wishOf(request, reference('alias', request.alias), call);
      const shares = request.shares.map(({ revision, percent }) => ({ revision, percent }));
      const { task, alias, before } = await revisions.set(call.scope, wish, shares);
      const changed = alias !== before;
      if (changed) tell(task, alias.name, wish.by, before, alias);
      return create(SetAliasResponseSchema, { alias: aliasToWire(alias), changed });
    },

    async rollbackAlias(request, call) {
      const wish = wishOf(request, request.alias === '' ? liveAlias : request.alias, call);
      const to = request.revision === 0 ? undefined : request.revision;
      const { task, alias, before } = await revisions.rollback(call.scope, wish, to);
      if (alias !== before) tell(task, alias.name, wish.by, before, alias);
      return create(RollbackAliasResponseSchema, {
        alias: aliasToWire(alias),
        created: before === undefined,
      });
    },

    async deleteAlias(request, call) {
      const wish = wishOf(request, reference('alias', request.alias), call);
      const { task, alias } = await revisions.forget(call.scope, wish);
      if (alias !== undefined) tell(task, alias.name, wish.by, alias);
      return create(DeleteAliasResponseSchema, { changed: alias !== undefined });
    },
  };
}

function newestOf(revisions: Revisions, scope: Scope, task: string): Promise<Task> {
  assertOneTenant(scope, 'revisions of a task');
  return revisions.one(scope, reference('task', task), undefined);
}

async function earlierThan(revisions: Revisions, task: Task): Promise<Task> {
  const [earlier] = await revisions.list(task, task.revision, 1);
  if (earlier !== undefined) return earlier;
  throw invalidArgument(
    'from',
    `is empty, and no revision before ${task.revision} is kept; allowed is one that is`,
  );
}

function wishFrom(field: string, value: string): RevisionWish {
  return value === '' ? undefined : revisionWish(field, text(field, value, 256));
}

function wishOf(
  { task, expectedVersion }: { readonly task: string; readonly expectedVersion?: number | undefined },
  alias: string,
  { scope, principal }: Pick<CallContext, 'scope' | 'principal'>,
): AliasWish {
  assertOneTenant(scope, 'an alias of a task');
  return { task: reference('task', task), alias, expectedVersion, by: principal.name };
}

/** As the wire names the fields, and exports by their names. */
function changesBetween(before: Task, after: Task, withValues: boolean): FieldChange[] {
  return differences(comparable(before, withValues), comparable(after, withValues));
}

function comparable(task: Task, withValues: boolean): JsonValue {
  const { definition, functions } = taskToWire(task, withValues);
  const json = toJson(TaskDefinitionSchema, definition as NonNullable<typeof definition>, {
    useProtoFieldName: true,
  });
  const exports = functions.map(({ name, parameters, result }) => {
    const list = parameters.map((each) => `${each.name}: ${each.type}`).join(', ');
    return [name, `(${list})${result === '' ? '' : ` -> ${result}`}`] as const;
  });
  return { ...(json as Record<string, JsonValue>), functions: Object.fromEntries(exports) };
}

/** A path of many parts, such as of an environment, is told by its first two. */
function pathsOf(changes: readonly FieldChange[]): string[] {
  return [...new Set(changes.map(({ path }) => path))].slice(0, mostPaths);
}

const mostPaths = 20;

function digestOf({ definition: { artifact } }: Task): string {
  return artifact.kind === 'docker' ? artifact.imageId : artifact.sha256;
}
