/** Runs one load, and stores what it gives under its lease. */
import { AppError, InvalidRequestError, LeaseLostError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { EntryName } from '../../keys.ts';
import type { StoredEntry } from '../entry.ts';
import type { EntryMeta } from '../entry-format.ts';
import type { EntryWriter, SetEntry } from '../entry-writer.ts';
import type { Load, LoadContext, Loaded, Obtained, Resolved } from './get-or-set-options.ts';
import type { ReleaseLease } from './release-lease.ts';

export interface LoadRun {
  /** Its signal is that of the load. */
  readonly caller: Caller & { readonly signal: AbortSignal };
  readonly name: EntryName;
  readonly load: Load;
  readonly options: Resolved;
  readonly stale: StoredEntry | null;
  /** Of the lease; null: nothing is stored. */
  readonly token: string | null;
}

export interface Ran {
  /** What was loaded; null: there is no such thing. */
  readonly outcome: Obtained | null;
  /** The entry was written or invalidated while it was loaded: who asked since is not to be given it. */
  readonly overtaken: boolean;
}

/** Why what was loaded is not stored; null: it is. */
interface Stored extends Pick<Ran, 'overtaken'> {
  readonly why: string | null;
}

const BYTES: EntryMeta = { content_type: 'application/octet-stream' };

export function createLoadRunner({
  set,
  releaseLease,
}: {
  readonly set: EntryWriter['set'];
  readonly releaseLease: ReleaseLease;
}) {
  /** Lets the next caller try at once, also when all who waited have given up. One that cannot be given back runs out by itself. */
  const giveBack = async ({ caller, name, token }: LoadRun): Promise<void> => {
    if (token !== null) await releaseLease({ ...caller, signal: undefined }, name, token).catch(() => undefined);
  };

  const store = async (run: LoadRun, entry: SetEntry): Promise<Stored> => {
    try {
      await set(run.caller, run.name, entry);
      return { why: null, overtaken: false };
    } catch (error) {
      // The value is there all the same: whoever waits for it is served, and told. What cannot be stored at all is a mistake.
      if (!(error instanceof AppError) || error instanceof InvalidRequestError) throw error;
      if (error.code !== 'lease_lost') await giveBack(run);
      return { why: error.code, overtaken: error instanceof LeaseLostError && error.overtaken };
    }
  };

  return {
    /**
     * @throws what the load throws; the lease is given back.
     * @throws {InvalidRequestError} what was loaded can never be stored so.
     */
    async run(run: LoadRun): Promise<Ran> {
      const { load, options, stale, token, caller } = run;
      const said = createSaid(options);
      try {
        const loaded = await load({ ...said.context, stale, signal: caller.signal });
        const entry = said.entryOf(loaded);
        const { ttlMs, meta, value } = entry;
        const why = token === null ? 'unguarded' : said.skipped() || ttlMs === 0 ? 'skipped' : null;
        if (why !== null) await giveBack(run);
        const { why: notStored, overtaken } =
          why === null ? await store(run, { ...entry, lease: token ?? undefined }) : { why, overtaken: false };
        const obtained = { value: asBuffer(value), meta, from: 'load', stale: false, notStored } as const;
        return { outcome: loaded === null ? null : obtained, overtaken };
      } catch (error) {
        await giveBack(run);
        throw error;
      }
    },
  };
}

/** What a load says of its value while it runs. */
function createSaid({ ttlMs, graceMs, tags, negativeTtlMs }: Resolved) {
  let said: { ttlMs?: number | null; graceMs?: number; tags?: readonly string[]; skip?: true } = {};
  const context: Omit<LoadContext, 'signal' | 'stale'> = {
    setTtl: (ms) => {
      said = { ...said, ttlMs: ms };
    },
    setGrace: (ms) => {
      said = { ...said, graceMs: ms };
    },
    setTags: (list) => {
      said = { ...said, tags: list };
    },
    skip: () => {
      said = { ...said, skip: true };
    },
  };
  /** An absence is stored as an entry without a value, never stale; a lifetime of 0 is not stored. */
  const entryOf = (loaded: Loaded | null): SetEntry => {
    const bare = loaded?.meta ?? BYTES;
    const all = [...new Set([...(bare.tags ?? []), ...(said.tags ?? tags ?? [])])];
    const meta = all.length === 0 ? bare : { ...bare, tags: all };
    if (loaded === null) {
      const ttlOfAbsence = said.ttlMs === undefined ? negativeTtlMs : said.ttlMs;
      return { value: Buffer.alloc(0), meta: { ...meta, negative: true }, ttlMs: ttlOfAbsence, graceMs: 0 };
    }
    return {
      value: loaded.value,
      meta,
      ttlMs: said.ttlMs === undefined ? (loaded.ttlMs === undefined ? ttlMs : loaded.ttlMs) : said.ttlMs,
      graceMs: said.graceMs ?? loaded.graceMs ?? graceMs,
    };
  };
  return { context, entryOf, skipped: () => said.skip === true };
}

const asBuffer = (value: Uint8Array): Buffer => Buffer.from(value.buffer, value.byteOffset, value.byteLength);
