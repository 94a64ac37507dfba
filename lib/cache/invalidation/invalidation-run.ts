/** One invalidation, whoever asks for it: begun by a script, and gone on with where entries are found by name or by walking. */
import { ReclaimBehindError } from '../../errors.ts';
import type { ExpiredRecords } from '../../gate/expired-records.ts';
import type { Job } from '../../jobs/job.ts';
import type { Jobs } from '../../jobs/jobs.ts';
import { entryListing, type Keys } from '../../keys.ts';
import { invalidateTenantCache } from '../../redis/bindings/cache-invalidation-scripts.ts';
import type { RedisDriver } from '../../redis/driver.ts';
import { runScript } from '../../redis/script.ts';
import { type Begun, countReply, isExact, namesOf, readBegun, tagsReply } from './begun-invalidation.ts';
import { createEntryWalk, LEASED_BATCH, type Place } from './entry-walk.ts';
import type { InvalidateCacheResponse } from './invalidate-contract.ts';
import { INVALIDATE_CACHE } from './invalidate-job.ts';
import type { Reclaim } from './reclaim.ts';
import { type Selector, walkedBy } from './selector.ts';
import { WALK_BEGIN, type WalkParams, walkOn } from './walked-invalidation.ts';

/** Entries that are gone through at once; more are a job. */
const MAX_INLINE = 5_000;
/** How long what has expired or is hidden is removed, for a count to be exact or for room among what is pending. */
const TIDY_MS = 5_000;
/** How long a job is run at once. */
const INLINE_JOB_MS = 2_000;

export type InvalidationOutcome =
  | { readonly kind: 'done'; readonly data: InvalidateCacheResponse }
  | { readonly kind: 'job'; readonly job: Job };

export interface Invalidate {
  readonly selector: Selector;
  /** Only counts. */
  readonly dry: boolean;
  /** A ULID, the operation's: of a job that it starts. */
  readonly ulid?: string | undefined;
}

export type BeginInvalidation = () => Promise<{ readonly begun: Begun; readonly place: Place }>;

export type InvalidationRun = ReturnType<typeof createInvalidationRun>;

export function createInvalidationRun(deps: {
  readonly redis: RedisDriver;
  readonly keys: Keys;
  readonly jobs: Pick<Jobs, 'start'>;
  readonly expired: Pick<ExpiredRecords, 'free'>;
  readonly reclaim: Pick<Reclaim, 'run'>;
}) {
  const { redis, keys, jobs, expired, reclaim } = deps;
  const walk = createEntryWalk(deps);

  /** Removes what has expired or is hidden, for {@link TIDY_MS} at most. @returns the epoch up to which all is reclaimed. */
  const tidy = async (place: Place): Promise<number> => {
    const limit = AbortSignal.timeout(TIDY_MS);
    const signal = place.signal === undefined ? limit : AbortSignal.any([place.signal, limit]);
    try {
      while ((await expired.free(place.id, place.generation, signal)) > 0 && !signal.aborted);
      return (await reclaim.run({ ...place, signal })).upTo ?? 0;
    } catch (error) {
      if (!limit.aborted) throw error;
      return 0;
    }
  };

  /** What the selector matches now; nobody is asked, and nothing is metered. */
  const countAgain = async ({ id, generation, signal }: Place, selector: Selector) => {
    const slots = { gate: keys.gate(id), index: keys.index(id, generation), invalidated: keys.invalidated(id) };
    const args = { dry: 1, ...namesOf(selector) };
    return readBegun(await runScript(redis, invalidateTenantCache, { keys: slots, args, kind: 'read', signal }));
  };

  /** Where one script does it all. A dry run counts again once what is gone already is removed. */
  const counted = async (place: Place, { selector, dry }: Invalidate, begun: Begun) => {
    let { counts } = begun;
    let exact = isExact(begun);
    if (dry && !exact) {
      const upTo = await tidy(place);
      const again = await countAgain(place, selector);
      counts = again.counts;
      exact = isExact(again, upTo);
    }
    const data =
      selector.by === 'tags' ? tagsReply(dry, selector.tags, counts, exact) : countReply(dry, counts[0] ?? 0, exact);
    return { kind: 'done', data } as const;
  };

  /** Those of before go, with the leases of those who load them. */
  const removeNamed = async (
    place: Place,
    selector: Selector & { readonly by: 'keys' },
    dry: boolean,
    bound: number,
  ) => {
    const members = selector.keys.map((key) => entryListing({ namespace: selector.namespace, key }));
    let count = 0;
    let exact = true;
    for (let at = 0; at < members.length; at += LEASED_BATCH) {
      const batch = members.slice(at, at + LEASED_BATCH);
      const { seen, sure } = await walk.remove(place, batch, { which: dry ? 'seen' : 'older', bound });
      count += seen;
      exact &&= sure;
    }
    return { kind: 'done', data: countReply(dry, count, exact) } as const;
  };

  const removeWalked = async (place: Place, params: WalkParams, ulid: string | undefined) => {
    if (params.total > MAX_INLINE || params.prefix === '') {
      const common = { kind: INVALIDATE_CACHE, tenantId: place.id, params: { ...params }, unit: 'entries' };
      const started = { ...common, inlineMs: INLINE_JOB_MS, signal: place.signal };
      const job = await jobs.start(ulid === undefined ? started : { ...started, opId: ulid });
      return { kind: 'job', job } as const;
    }
    let state = WALK_BEGIN;
    for (let ended = false; !ended; ) ({ state, ended } = await walkOn(walk, place, params, state));
    return { kind: 'done', data: countReply(params.dry, state.found, state.exact) } as const;
  };

  return {
    /**
     * Goes on with what `begin` has begun; that is called once more when too much waits to be reclaimed.
     * @throws {ReclaimBehindError} it does so still; nothing was changed. @throws {JobLimitError}
     */
    async run(request: Invalidate, begin: BeginInvalidation): Promise<InvalidationOutcome> {
      const { selector, dry, ulid } = request;
      let { begun, place } = await begin();
      if (begun.behind) {
        await tidy(place);
        ({ begun, place } = await begin());
        if (begun.behind) throw behind();
      }
      if (selector.by === 'keys') return removeNamed(place, selector, dry, begun.seq);
      const walked = walkedBy(selector);
      // A walk counts no better than the index, unless some of what that lists is gone already.
      const isCounted = dry && selector.by === 'prefix' && isExact(begun);
      if (walked === null || isCounted) return counted(place, request, begun);
      const glob = selector.by === 'glob' ? selector.glob : null;
      const [total = 0] = begun.counts;
      return removeWalked(place, { ...walked, glob, bound: begun.seq, total, dry }, ulid);
    },
  };
}

const behind = () =>
  new ReclaimBehindError('Too many tags and namespaces were invalidated and wait to be reclaimed', {
    retryAfterMs: 60_000,
  });
