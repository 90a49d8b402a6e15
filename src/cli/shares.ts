/** Aliases of tasks as people write and read them. */
import { timestampDate } from '@bufbuild/protobuf/wkt';
import { type AliasShare, sharesFrom, sharesText } from '../domain/revisions/alias.ts';
import { newestWord } from '../domain/revisions/reference.ts';
import type { TaskAlias } from '../server/gen/spearlet/task_pb.js';
import type { Session } from './session.ts';
import { UsageError } from './usage-error.ts';

interface AliasText {
  readonly alias: string;
  readonly shares: readonly AliasShare[];
}

/** `ALIAS=3`, `ALIAS=3:90,4:10` or `ALIAS=newest`, whose number the server is asked for. Throws UsageError. */
export async function aliasFrom(session: Session, task: string, text: string): Promise<AliasText> {
  const at = text.indexOf('=');
  if (at < 1) {
    throw new UsageError(
      `ALIAS=REVISION: is ${JSON.stringify(text)}; allowed are such as live=3, live=newest and live=3:90,4:10`,
    );
  }
  const [alias, said] = [text.slice(0, at), text.slice(at + 1)];
  if (said !== newestWord) return { alias, shares: sharesFrom('ALIAS=REVISION', said) };
  const { task: found } = await session.tasks.getTask({ task });
  return { alias, shares: [{ revision: found?.revision ?? 0, percent: 100 }] };
}

/** Such as `live  3:90,4:10  version 2, by token ci at 2026-…`. */
export function aliasText({ name, shares, version, moves: [last] }: TaskAlias): string {
  const at = last?.time === undefined ? '' : ` at ${timestampDate(last.time).toISOString()}`;
  const by = last === undefined ? '' : `, by ${last.principal}${at}`;
  return `${name} = ${sharesText(shares)} (version ${version}${by})`;
}
