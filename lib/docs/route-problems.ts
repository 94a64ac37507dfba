/** Which problems an endpoint may answer with: its own, those of its guard, and those that come with what it takes. */
import type { Contract, Guard } from '../http/contract.ts';
import { PROBLEM_CODES, type ProblemCode } from './problem-codes.ts';

const KEY_REFUSED = ['key_missing', 'key_unknown', 'key_expired', 'key_revoked', 'wrong_key_kind'] as const;
const GATE_REFUSED = ['tenant_suspended', 'tenant_deleted', 'rate_limited', 'quota_exceeded'] as const;
const STORE_FAILED = ['store_unavailable', 'store_error'] as const;
const ANY = ['internal', 'config_invalid', 'deadline_exceeded'] as const;

/** All codes of a route, each once, by status. */
export function problemCodesOf(contract: Contract): readonly string[] {
  const codes = new Set<string>([
    ...contract.problems,
    ...guardCodes(contract.guard),
    ...inputCodes(contract),
    ...outcomeCodes(contract),
    ...ANY,
  ]);
  const order = Object.keys(PROBLEM_CODES);
  return [...codes].sort((a, b) => order.indexOf(a) - order.indexOf(b));
}

function guardCodes(guard: Guard): readonly ProblemCode[] {
  if (guard.kind === 'open') return [];
  // The gate names a tenant's key even where only the admin key will do, so that a revoked one is told so.
  const scope = guard.kind === 'tenant' && guard.scope !== 'none' ? (['scope_missing', 'access_denied'] as const) : [];
  return [...KEY_REFUSED, ...scope, ...GATE_REFUSED, ...STORE_FAILED];
}

/** What is not open refuses query parameters it does not name, so each of these can. */
function inputCodes({ guard, params, query, headers, body }: Contract): readonly ProblemCode[] {
  const parts = params ?? query ?? headers ?? (body === 'bytes' ? undefined : body);
  const ofParts: readonly ProblemCode[] = parts === undefined && guard.kind === 'open' ? [] : ['invalid_request'];
  if (body === undefined) return ofParts;
  return [...ofParts, 'invalid_json', 'body_too_large', 'unsupported_media_type'];
}

function outcomeCodes(contract: Contract): readonly ProblemCode[] {
  const { method, guard, replies } = contract;
  const reads = method === 'GET' || method === 'HEAD';
  const givesValue = guard.kind !== 'open' && Object.values(replies).some(({ bytes }) => bytes === true);
  return [
    ...(reads ? [] : (['outcome_unknown'] as const)),
    ...(takesIdempotencyKey(contract)
      ? (['invalid_request', 'idempotency_in_progress', 'idempotency_key_reused'] as const)
      : []),
    ...(givesValue ? (['reply_too_large', 'value_corrupt'] as const) : []),
  ];
}

/** `Idempotency-Key` is stored for POST and PATCH only: the other methods are idempotent as they are. */
export const takesIdempotencyKey = ({ method }: Pick<Contract, 'method'>): boolean =>
  method === 'POST' || method === 'PATCH';
