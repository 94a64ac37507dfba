/** What the demo says is checked as it goes: the first claim that does not hold ends it. */
import type { Failure } from '../../lib/client/call.ts';

/** The service did something else than it promises. The message says what was expected and what came. */
export class BrokenClaimError extends Error {
  override readonly name = 'BrokenClaimError';
}

/** @throws {BrokenClaimError} it does not hold. */
export function demand(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new BrokenClaimError(claim);
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
}

/** @throws {BrokenClaimError} the answer has another status. */
export function demandStatus<A extends Answer, const S extends number>(
  outcome: A,
  status: S,
  what: string,
): asserts outcome is Extract<A, { readonly status: S }> {
  demand(outcome.ok && outcome.status === status, `${what}: expected ${status}, came ${describe(outcome)}`);
}

/** @throws {BrokenClaimError} the call was not refused with just this status and code. */
export function demandRefusal<A extends Answer>(
  outcome: A,
  expected: { readonly status: number; readonly code: string },
  what: string,
): asserts outcome is A & Failure {
  const holds = isFailure(outcome) && outcome.status === expected.status && outcome.problem.code === expected.code;
  demand(holds, `${what}: expected ${expected.status} ${expected.code}, came ${describe(outcome)}`);
}

function describe(outcome: Answer): string {
  if (!isFailure(outcome)) return String(outcome.status);
  const { code, detail } = outcome.problem;
  return `${outcome.status === 0 ? 'no answer' : outcome.status} ${code} (${detail})`;
}

const isFailure = (outcome: Answer): outcome is Failure => !outcome.ok;
