/** What all calls of cache scripts for one entry have in common: its keys, its resource, operation ids, conditions. */
import { createHash, randomBytes } from 'node:crypto';
import type { TenantContext } from '../gate/context-format.ts';
import type { TenantId } from '../ids.ts';
import type { EntryName, Keys } from '../keys.ts';
import { checkName, ETAG } from './entry-rules.ts';

/** What must hold of the stored entry; `etags` are without quotes. */
export type Condition = 'none' | 'absent' | 'exists' | { readonly etags: readonly string[] };

/** Keys of an entry's scripts, once the context is known. @throws {InvalidRequestError} not a name of an entry. */
export function entryKeys(keys: Keys, tenantId: TenantId, name: EntryName) {
  checkName(name);
  return ({ generation }: TenantContext) => ({
    entry: keys.cacheEntry(tenantId, generation, name),
    index: keys.index(tenantId, generation),
    lease: keys.lease(tenantId, generation, name),
  });
}

/** As scripts take it; absent: a new one. */
export const operationId = (given: string | undefined): string =>
  given === undefined ? newOperation() : operationText(given);

/** Scripts take 24 letters; a caller's name for an operation may be anything. */
export const operationText = (operation: string): string =>
  createHash('sha256').update(operation).digest('hex').slice(0, 24);

/** As policies name it. */
export const resourceOf = ({ namespace, key }: EntryName): string => `cache/${namespace}/${key}`;

/** 96 random bits, hex. */
export const newOperation = (): string => randomBytes(12).toString('hex');

/** Of the headers of those names, or a batch's fields. */
export function conditionOf(ifMatch: readonly string[] | '*' | undefined, ifNoneMatch?: '*' | undefined): Condition {
  if (ifNoneMatch === '*') return 'absent';
  if (ifMatch === undefined) return 'none';
  return ifMatch === '*' ? 'exists' : { etags: ifMatch };
}

/** As scripts take it. */
export const conditionText = (condition: Condition): string => {
  if (condition === 'none') return '';
  return typeof condition === 'string' ? condition : etagsText(condition.etags) || '-';
};

/** Only what can match: to a script `absent` and `exists` are conditions of their own, and a comma ends a tag. */
export const etagsText = (etags: readonly string[]): string => etags.filter((etag) => ETAG.test(etag)).join(',');
