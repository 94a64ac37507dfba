/**
 * How much a tenant's policies may hold. Apart from their schemas: what administration loads of zod, every function that
 * shares a bundle with it loads at its start.
 */
import type { PolicySet } from '../gate/policies.ts';

export const MAX_NAMED_KEYS = 100;
/** Of the policies as JSON in UTF-8. */
export const MAX_POLICY_BYTES = 32 * 1024;

export const fitsInBytes = (policies: PolicySet): boolean =>
  new TextEncoder().encode(JSON.stringify(policies)).length <= MAX_POLICY_BYTES;

/** Whether policies that were valid still are, with more keys named in them. */
export const hasRoom = (policies: PolicySet): boolean =>
  fitsInBytes(policies) && policies.statements.every(({ keys = [] }) => keys.length <= MAX_NAMED_KEYS);
