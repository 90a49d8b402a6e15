import { create } from '@bufbuild/protobuf';
import type { MachineDescription } from '../../domain/machine.ts';
import { type Machine, MachineSchema } from '../gen/spearlet/node_pb.js';

export function machineToWire({ name, version, definition, mermaid, states }: MachineDescription): Machine {
  return create(MachineSchema, {
    name,
    version,
    definition,
    mermaid,
    states: states.map(({ path, isFinal, allowedEvents, events }) => ({
      path,
      isFinal,
      allowedEvents: [...allowedEvents],
      events: [...events],
    })),
  });
}
