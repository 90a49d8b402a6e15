/** A task's definition as a message, but for its artifact, which is bytes or names them. */
import { taskDefinition } from '../../domain/schema/task-definition.ts';
import { warm } from '../../domain/schema/task-instances.ts';
import type { TaskDefinition, WarmPolicy } from '../../domain/task.ts';
import { TaskDefinitionSchema, WarmPolicySchema } from '../gen/spearlet/task_pb.js';
import { FormMessage } from './form-message.ts';

export type { ShownField } from './form-message.ts';

export const definitionMessage = new FormMessage<typeof TaskDefinitionSchema, TaskDefinition>(
  taskDefinition.form,
  TaskDefinitionSchema,
  ['artifact'],
);

export const warmMessage = new FormMessage<typeof WarmPolicySchema, WarmPolicy>(warm.form, WarmPolicySchema);
