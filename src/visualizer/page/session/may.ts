/** What the reader of the page may do, by the rules that the node has, too. What is offered all the same, it refuses. */
import { hasRole, type Role } from '../../../domain/access.ts';
import { type MethodName, methodRoles, pathRoles } from '../../../domain/method-roles.ts';
import type { Session } from './session.ts';

/** Whether the reader's role is enough for a method, or for one of the paths beside them. False until it is known. */
export type May = (what: MethodName | keyof typeof pathRoles) => boolean;

const needed: Readonly<Record<Parameters<May>[0], Role>> = { ...methodRoles, ...pathRoles };

export function createMay({ caller }: Pick<Session, 'caller'>): May {
  return (what) => {
    const { value: known } = caller;
    return known !== undefined && hasRole(known, needed[what]);
  };
}
