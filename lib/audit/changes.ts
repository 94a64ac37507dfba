/** What an update changed, as it may be logged: which fields, and old and new values of those that are no one's secret. */
import { canonicalJson, type JsonValue } from './canonical-json.ts';
import type { AuditDetails } from './entry.ts';

/** Fields whose values are logged. Of every other field only the name is: it may hold names, addresses, whatever owners keep. */
const LOGGED = ['plan', 'status', 'isolation_level', 'encryption'] as const;

export interface Auditable {
  readonly quotas?: Readonly<Record<string, number>>;
  readonly [field: string]: unknown;
}

/**
 * `{ fields: ['name', 'plan', 'quotas'], changed: { plan: { from, to }, 'quotas.memory_bytes': { from, to } } }`; fields in
 * order of their names. Times the update itself sets are not told.
 */
export function describeChanges(before: Auditable, after: Auditable): AuditDetails {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const fields = names.filter((name) => name !== 'updated_at' && !same(before[name], after[name]));
  const values = LOGGED.filter((name) => fields.includes(name)).map((name) => change(name, before[name], after[name]));
  const quotas = [...new Set([...Object.keys(before.quotas ?? {}), ...Object.keys(after.quotas ?? {})])].sort();
  const limits = quotas
    .filter((name) => before.quotas?.[name] !== after.quotas?.[name])
    .map((name) => change(`quotas.${name}`, before.quotas?.[name], after.quotas?.[name]));
  return { fields, changed: Object.fromEntries([...values, ...limits]) };
}

const change = (name: string, from: unknown, to: unknown): readonly [string, JsonValue] => [
  name,
  { from: (from ?? null) as JsonValue, to: (to ?? null) as JsonValue },
];

const same = (a: unknown, b: unknown) => text(a) === text(b);
const text = (value: unknown) => (value === undefined ? '' : canonicalJson(value as JsonValue));
