import type { Labels } from '../../domain/labels.ts';
import { labels } from '../../domain/schema/values.ts';
import { InvokeFunctionRequestSchema } from '../gen/spearlet/function_pb.js';
import { mapFrom } from './form-message.ts';

const { labels: field } = InvokeFunctionRequestSchema.field;

/** Labels that a request has or asks for. Throws invalid_argument with the key. */
export function labelsFromWire(entries: Labels): Labels {
  return Object.keys(entries).length === 0 ? entries : mapFrom(labels.form, field, entries, 'labels');
}
