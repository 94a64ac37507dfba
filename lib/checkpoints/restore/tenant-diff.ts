/** What a restore would change of a tenant: its records beside those of the checkpoint, both in the order of the index. */
import { AppError } from '../../errors.ts';
import { parseHotHead } from '../../sessions/session-format.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import { type CheckpointRecord, orderOf } from '../format/checkpoint-line.ts';
import { createHiding, type InvalidationEpochs } from '../format/invalidation-epochs.ts';
import { compareUtf8 } from '../format/utf8-order.ts';
import type { RecordPages } from '../walk/record-pages.ts';

export interface KindDiff {
  /** There afterwards, and not now. */
  readonly created: number;
  readonly changed: number;
  /** There now, and not afterwards. */
  readonly removed: number;
  readonly same: number;
}

export interface TenantDiff {
  readonly cache: KindDiff;
  readonly session: KindDiff;
}

type Counts = { -readonly [K in keyof KindDiff]: number };
const none = (): Counts => ({ created: 0, changed: 0, removed: 0, same: 0 });

/** Compares to the end. Holds a page of each. @param now null: the tenant is not there. */
export async function diffTenant(
  then: AsyncIterable<CheckpointRecord>,
  now: AsyncIterable<CheckpointRecord>,
  restored: (record: CheckpointRecord) => boolean,
): Promise<TenantDiff> {
  const diff = { cache: none(), session: none() };
  const [left, right] = [then[Symbol.asyncIterator](), now[Symbol.asyncIterator]()];
  const next = async (from: AsyncIterator<CheckpointRecord>, wanted: (record: CheckpointRecord) => boolean) => {
    for (;;) {
      const { done, value } = await from.next();
      if (done) return null;
      if (wanted(value)) return value as CheckpointRecord;
    }
  };
  let [was, is] = [await next(left, restored), await next(right, () => true)];
  while (was !== null || is !== null) {
    const order = was === null ? 1 : is === null ? -1 : compareUtf8(orderOf(was), orderOf(is));
    const { kind } = (order <= 0 ? was : is) as CheckpointRecord;
    if (order < 0) diff[kind].created++;
    else if (order > 0) diff[kind].removed++;
    else diff[kind][isSame(was as CheckpointRecord, is as CheckpointRecord) ? 'same' : 'changed']++;
    if (order <= 0) was = await next(left, restored);
    if (order >= 0) is = await next(right, () => true);
  }
  return diff;
}

/** What is visible of a tenant now, in order. */
export async function* visibleNow(
  pages: RecordPages,
  place: TenantPlace,
  epochs: InvalidationEpochs,
  nowMs: number,
): AsyncGenerator<CheckpointRecord> {
  const isHidden = createHiding([epochs]);
  let after: string | null = null;
  do {
    const page = await pages.page(place, { epochs: null, cache: true, after }, nowMs);
    for (const line of page.lines) if (!('removed' in line) && !(line.kind === 'cache' && isHidden(line))) yield line;
    after = page.after;
  } while (after !== null);
}

/** Where what an entry is begins: behind the minute of its last access. */
const ENTRY_FROM = 20;
/** Of a head: what it is charged, which differs with the length of its key. */
const CHARGED = /^((?:[^,]*,){5})\d+,/;

function isSame(was: CheckpointRecord, is: CheckpointRecord): boolean {
  if (was.kind === 'cache' && is.kind === 'cache') {
    const text = ({ stored }: { readonly stored: string }) => stored.slice(ENTRY_FROM).replace(CHARGED, '$1');
    return was.stored === is.stored || text(was) === text(is);
  }
  const [a, b] = [versionOf(was), versionOf(is)];
  return a !== '' && a === b;
}

/** Empty: nobody can tell. */
function versionOf(record: CheckpointRecord): string {
  const text = 'hash' in record ? (record.hash.h ?? '') : 'stub' in record ? record.stub : '';
  try {
    const { version, secret, createdAtMs } = parseHotHead(text.split('\n', 1)[0] as string).head;
    return `${version},${secret},${createdAtMs}`;
  } catch (error) {
    if (error instanceof AppError) return '';
    throw error;
  }
}
