/** Writes records into a generation that is loaded, for as long as it is. */
import type { Keys } from '../../keys.ts';
import { loadRecords } from '../../redis/bindings/checkpoint-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import type { TenantPlace } from '../../tenants/tenant-place.ts';
import type { LoadedRecord } from './loaded-record.ts';

export interface RecordBatch {
  readonly records: readonly Pick<LoadedRecord, 'key' | 'value'>[];
  /** Members of the index. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export type RecordLoad = ReturnType<typeof createRecordLoad>;

export function createRecordLoad({ redis, keys }: { readonly redis: RedisDriver; readonly keys: Keys }) {
  /**
   * One step. @param place the generation that is loaded.
   * @returns false: it is not loaded any more, or the tenant is deleted; nothing was written.
   */
  return ({ id, generation, signal }: TenantPlace, { records, added, removed }: RecordBatch): Promise<boolean> => {
    const values = records.flatMap(({ value }) => (typeof value === 'string' ? [1, value] : [value.length, ...value]));
    return runScript(redis, loadRecords, {
      keys: {
        gate: keys.gate(id),
        generations: keys.generations(id),
        index: keys.index(id, generation),
        records: records.map(({ key }) => key),
      },
      args: { generation, added: added.length, removed: removed.length, values: [...added, ...removed, ...values] },
      kind: 'write',
      signal,
    });
  };
}
