/** Gives entries another lifetime; their values, metadata and ETags stay. */
import type { CacheConfig } from '../config/config.ts';
import { PreconditionFailedError } from '../errors.ts';
import type { Caller } from '../gate/caller.ts';
import type { Gate } from '../gate/gate.ts';
import type { EntryName, Keys } from '../keys.ts';
import { touchCacheEntry } from '../redis/bindings/cache-batch-scripts.ts';
import type { StoredEntry } from './entry.ts';
import { type Condition, conditionText, entryKeys, resourceOf } from './entry-call.ts';
import type { EntryReader } from './entry-reader.ts';
import { checkEntry } from './entry-rules.ts';
import type { EntryWriter } from './entry-writer.ts';
import { lifetimeText } from './lifetime.ts';
import { settingsFor } from './namespace-settings.ts';
import { CONDITION_FAILED, conditionFailed } from './outcomes.ts';

export interface Touch {
  /** From now on. Null: it never expires. */
  readonly ttlMs: number | null;
  /** Absent: as the namespace is set. */
  readonly graceMs?: number | undefined;
  readonly condition?: Condition;
}

export interface Touched {
  readonly etag: string;
  /** Unix ms; null: never. */
  readonly expiresAtMs: number | null;
  /** Unix ms; null: as long as it lives. */
  readonly freshUntilMs: number | null;
}

/** Outcomes of the script. */
const DONE = 1;
const FORMAT_OF_BEFORE = 4;

/** What is checked of a lifetime, as of an entry that has it. */
const NO_META = { content_type: '-' };
/** An entry of the format of before is written anew: unless somebody else writes it between. */
const MAX_TRIES = 5;

export type EntryToucher = ReturnType<typeof createEntryToucher>;

export function createEntryToucher(deps: {
  readonly gate: Gate;
  readonly keys: Keys;
  readonly config: CacheConfig;
  readonly reader: Pick<EntryReader, 'get'>;
  readonly writer: Pick<EntryWriter, 'set'>;
}) {
  const { gate, keys, config, reader, writer } = deps;

  /** Null: somebody else wrote it meanwhile, or it is gone. */
  const writeAnew = async (caller: Caller, name: EntryName, { ttlMs, graceMs }: Touch): Promise<Touched | null> => {
    const stored = (await reader.get(caller, name)) as StoredEntry | null;
    if (stored === null) return null;
    const { value, meta, etag } = stored;
    const anew = { value, meta, ttlMs, graceMs, condition: { etags: [etag] } };
    return writer.set(caller, name, anew).catch((error: unknown) => {
      if (error instanceof PreconditionFailedError) return null;
      throw error;
    });
  };

  return {
    /**
     * Sets the lifetime from now on; null when there is no such entry, or only a stale one. One round trip.
     * @throws {PreconditionFailedError} the condition does not hold. @throws {InvalidRequestError} not a lifetime.
     */
    async touch(caller: Caller, name: EntryName, touch: Touch): Promise<Touched | null> {
      checkEntry({ meta: NO_META, ttlMs: touch.ttlMs, graceMs: touch.graceMs ?? 0 });
      const condition = conditionText(touch.condition ?? 'none');
      const records = entryKeys(keys, caller.tenantId, name);
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const { found } = await gate.run(caller, {
          script: touchCacheEntry,
          scope: 'cache:write',
          kind: 'write',
          resource: resourceOf(name),
          keys: (context) => ({ entry: records(context).entry, index: records(context).index }),
          args: (context) => {
            const [ttlMs, graceMs] = lifetimeText(touch, settingsFor(context, config, name.namespace));
            return { condition, ttlMs, graceMs };
          },
          declined: ([outcome]) => outcome !== DONE,
        });
        const [outcome, expires, fresh, etag] = found;
        if (outcome === CONDITION_FAILED) {
          throw conditionFailed();
        }
        if (outcome === DONE) {
          const [expiresAtMs, freshUntilMs] = [Number(expires) || null, Number(fresh) || null];
          return { etag: etag as string, expiresAtMs, freshUntilMs };
        }
        if (outcome !== FORMAT_OF_BEFORE) return null;
        const anew = await writeAnew(caller, name, touch);
        if (anew !== null) return { etag: anew.etag, expiresAtMs: anew.expiresAtMs, freshUntilMs: anew.freshUntilMs };
      }
      return null;
    },
  };
}
