import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { sharesOf, type TaskAlias } from '../../domain/revisions/alias.ts';
import { type TaskAlias as TaskAliasMessage, TaskAliasSchema } from '../gen/spearlet/task_pb.js';

export function aliasToWire(alias: TaskAlias): TaskAliasMessage {
  const { name, version, moves } = alias;
  return create(TaskAliasSchema, {
    name,
    version,
    shares: [...sharesOf(alias)],
    moves: moves
      .map(({ shares, at, by }) => ({ shares: [...shares], time: timestampFromMs(at), principal: by }))
      .reverse(),
  });
}
