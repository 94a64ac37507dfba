/**
 * A tenant's record as it is stored: `t2,<rev>,<op>\n<JSON>`. The revision grows by one with every change; `op` names the
 * change that made it. The first format was the bare JSON: revision 0.
 */
import type { TenantResponse } from './contract.ts';

export interface StoredTenant {
  readonly rev: number;
  /** Empty for the first format. */
  readonly op: string;
  readonly tenant: TenantResponse;
}

/** As it is stored. */
export const packRecord = ({ rev, op, tenant }: StoredTenant): string => `t2,${rev},${op}\n${JSON.stringify(tenant)}`;

/** @throws {RangeError | SyntaxError} not written by this service. */
export function unpackRecord(text: string): StoredTenant {
  if (text.startsWith('{')) return { rev: 0, op: '', tenant: JSON.parse(text) as TenantResponse };
  const head = /^t2,(\d+),([^\n]*)\n/.exec(text);
  if (head === null) throw new RangeError('Not the record of a tenant');
  const tenant = JSON.parse(text.slice(head[0].length)) as TenantResponse;
  return { rev: Number(head[1]), op: head[2] as string, tenant };
}

/** The ETag of a revision, with its quotes. */
export const etagOf = (rev: number): string => `"${rev}"`;
