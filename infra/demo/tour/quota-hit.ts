import type { Failure } from '../../../lib/client/call.ts';
import { demand } from '../claims.ts';
import type { QuotaHit } from './stage.ts';

/** What a refusal says of the quota that was full. @throws {BrokenClaimError} it does not say how much of how much. */
export function readQuotaHit({ status, problem }: Failure): QuotaHit {
  const { resource, used, limit, resets_in_ms = null } = problem.details ?? {};
  const isTold = typeof resource === 'string' && typeof used === 'number' && typeof limit === 'number';
  demand(isTold, `A refusal by ${problem.code} says which quota, and how much of how much is used`);
  return { resource, status, code: problem.code, used, limit, resets_in_ms: toNumber(resets_in_ms) };
}

const toNumber = (value: unknown) => (typeof value === 'number' ? value : null);
