/** A task's definition as a message, but for its artifact, which is bytes or names them. */
import type { ObjectForm } from '../../domain/schema/form.ts';
import { taskDefinition } from '../../domain/schema/task-definition.ts';
import { warm } from '../../domain/schema/task-instances.ts';
import { webhooks } from '../../domain/schema/task-webhooks.ts';
import type { TaskDefinition, WarmPolicy } from '../../domain/task.ts';
import type { EndWebhook } from '../../domain/webhook.ts';
import { EndWebhookSchema } from '../gen/spearlet/function_pb.js';
import { TaskDefinitionSchema, WarmPolicySchema } from '../gen/spearlet/task_pb.js';
import { FormMessage } from './form-message.ts';

export type { ShownField } from './form-message.ts';

export const definitionMessage = new FormMessage<typeof TaskDefinitionSchema, TaskDefinition>(
  taskDefinition.form,
  TaskDefinitionSchema,
  ['artifact'],
);

/** A list of objects, as its schema says. */
export const webhookMessage = new FormMessage<typeof EndWebhookSchema, EndWebhook>(
  webhooks.form.item as ObjectForm,
  EndWebhookSchema,
);

export const warmMessage = new FormMessage<typeof WarmPolicySchema, WarmPolicy>(warm.form, WarmPolicySchema);
