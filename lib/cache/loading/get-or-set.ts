/**
 * Cache-aside without stampedes: of all who miss an entry at once, in any process, one loads it, guarded by a lease; the rest
 * are served what is stale, or wait. Every call asks Redis itself, once, so each passes the gate, sees what was written before
 * it, and is metered; only loading, and polling for somebody else's load, is shared within an instance.
 *
 * The lease is a fencing token: what is loaded is stored only while the lease is held and nothing was written, removed or
 * invalidated since it was granted. A load that comes too late is given to those who waited for it, and stored nowhere; who came
 * while it ran asks again when it was overtaken, for that may have been before.
 */
import { scheduler } from 'node:timers/promises';
import { InvalidRequestError, LoadTimeoutError, OutcomeUnknownError, RedisUnavailableError } from '../../errors.ts';
import type { Caller } from '../../gate/caller.ts';
import type { Gate } from '../../gate/gate.ts';
import type { EntryName } from '../../keys.ts';
import { background } from '../../shutdown/background.ts';
import type { StoredEntry } from '../entry.ts';
import { resourceOf } from '../entry-call.ts';
import type { EntryReader, Lease } from '../entry-reader.ts';
import type { EntryWriter } from '../entry-writer.ts';
import type { LocalReads } from '../local/local-reads.ts';
import { createFlights, type Flight } from './flights.ts';
import { type GetOrSetOptions, type Load, type Obtained, type Resolved, resolveOptions } from './get-or-set-options.ts';
import { pollDelayMs } from './lease-waiting.ts';
import { createLoadRunner, type Ran } from './load-runner.ts';
import type { ReleaseLease } from './release-lease.ts';
import { LATE, within } from './within.ts';

export type GetOrSet = ReturnType<typeof createGetOrSet>;

type Outcome = Obtained | null;

interface Call {
  readonly caller: Caller;
  readonly name: EntryName;
  readonly load: Load;
  readonly options: Resolved;
}

/** What Redis said, or that it did not. */
type Seen =
  | { readonly entry: StoredEntry | null; readonly lease: Lease; readonly id: string }
  | { readonly down: Error };
type Here = Extract<Seen, { id: string }>;
type Waited = Ran | { readonly down: Error } | typeof LATE;

/** Of asking again: where the entry could not be read, and was removed; or a load that began before was overtaken. */
const MAX_ASKS = 3;

export function createGetOrSet(deps: {
  readonly reader: Pick<EntryReader, 'getOrLease'>;
  readonly set: EntryWriter['set'];
  readonly releaseLease: ReleaseLease;
  readonly local: Pick<LocalReads, 'answer'>;
  readonly gate: Pick<Gate, 'sawAdmitted'>;
  readonly maxLeaseMs: number;
  /** 0 to 1. */
  readonly random: () => number;
}) {
  const { reader, local, gate, maxLeaseMs, random } = deps;
  const runner = createLoadRunner(deps);
  const loads = createFlights<Ran>();
  const unguarded = createFlights<Ran>();
  const waits = createFlights<Waited>();

  const ask = async ({ caller, name, options }: Call): Promise<Seen> => {
    try {
      const { entry, lease, generation } = await reader.getOrLease(caller, name, options);
      const id = `${caller.tenantId}\0${generation}\0${name.namespace}\0${name.key}`;
      return { entry: entry === null || 'unchanged' in entry ? null : entry, lease, id };
    } catch (error) {
      if (error instanceof RedisUnavailableError || error instanceof OutcomeUnknownError) return { down: error };
      throw error;
    }
  };

  const startLoad = (call: Call, { id, entry }: Here, token: string): Flight<Ran> =>
    loads.start(id, (signal) =>
      runner.run({ ...call, caller: { ...call.caller, signal }, stale: staleOf(entry), token }),
    );

  /** Until somebody else's load has ended: asks again and again, once for all who wait here. */
  const follow = async (call: Call, first: Here, signal: AbortSignal): Promise<Waited> => {
    const endMs = performance.now() + call.options.waitMs;
    let { lease } = first;
    for (let round = 0; ; round++) {
      const waitLeftMs = endMs - performance.now();
      if (waitLeftMs <= 0) return LATE;
      const leaseLeftMs = lease.state === 'held' ? lease.lastsMs : 0;
      await scheduler.wait(pollDelayMs(round, { leaseLeftMs, waitLeftMs, random: random() }), { signal });
      const here = loads.find(first.id);
      const ran = await here?.join(signal);
      if (ran !== undefined && !ran.overtaken) return ran;
      const seen = await ask({ ...call, caller: { ...call.caller, signal } });
      if ('down' in seen) return seen;
      if (isFresh(seen.entry)) {
        if (seen.lease.state === 'granted') refresh(call, seen, seen.lease.token);
        return asStored(seen.entry);
      }
      if (seen.lease.state === 'granted') return startLoad(call, seen, seen.lease.token).join(signal);
      lease = seen.lease;
    }
  };

  const refresh = (call: Call, seen: Here, token: string) => goOn(startLoad(call, seen, token).join(), call.options);

  /** As long as the caller would wait for a load, and what is served instead. */
  const served = async (call: Call, loading: Promise<Ran>, stale: StoredEntry | null): Promise<Ran> => {
    const { softTimeoutMs, hardTimeoutMs } = call.options;
    const patience = stale === null ? hardTimeoutMs : Math.min(softTimeoutMs, hardTimeoutMs);
    try {
      const ran = await within(loading, patience);
      if (ran !== LATE) return ownCopy(ran);
    } catch (error) {
      if (stale === null || error instanceof InvalidRequestError || call.caller.signal?.aborted) throw error;
      return asStored(stale);
    }
    goOn(loading, call.options);
    if (stale !== null) return asStored(stale);
    throw new LoadTimeoutError('The value was not loaded in time; the load goes on', { retryAfterMs: 1_000 });
  };

  const loadUnguarded = (call: Call, id: string, stale: StoredEntry | null) => {
    const flight =
      unguarded.find(id) ??
      unguarded.start(id, (signal) => runner.run({ ...call, caller: { ...call.caller, signal }, stale, token: null }));
    return served(call, flight.join(call.caller.signal), stale);
  };

  /** Nobody can be asked: nothing is known of what is stored, nor more of the key than that it was good of late. */
  const withoutCache = (call: Call, down: Error): Promise<Ran> => {
    const { caller, name, options } = call;
    const access = { scope: 'cache:read', resource: resourceOf(name) };
    if (options.onUnavailable === 'throw' || !gate.sawAdmitted(caller, access)) throw down;
    return loadUnguarded(call, `${caller.tenantId}\0${name.namespace}\0${name.key}`, null);
  };

  const waitFor = async (call: Call, seen: Here): Promise<Ran> => {
    const { signal } = call.caller;
    const stale = staleOf(seen.entry);
    const here = loads.find(seen.id);
    if (here !== undefined) return served(call, here.join(signal), stale);
    const flight = waits.find(seen.id) ?? waits.start(seen.id, (all) => follow(call, seen, all));
    const waited = await within(flight.join(signal), call.options.waitMs).catch((error: unknown) => {
      if (stale === null || signal?.aborted) throw error;
      return asStored(stale);
    });
    if (waited !== LATE) return 'down' in waited ? withoutCache(call, waited.down) : ownCopy(waited);
    // Perhaps this instance took the load over while it waited.
    const begun = loads.find(seen.id);
    if (begun !== undefined) return served(call, begun.join(signal), stale);
    if (stale !== null) return asStored(stale);
    if (call.options.whenWaitEnds === 'load') return loadUnguarded(call, seen.id, null);
    throw new LoadTimeoutError('Somebody else loads the value, and has not in time', { retryAfterMs: 1_000 });
  };

  return {
    /**
     * The entry, or what `load` gives for it. Null: it is known that there is no such thing. One round trip for a hit, three
     * with a load; each poll while somebody else loads is a call of its own.
     * @throws what the load throws, unless there is a stale value; LoadTimeoutError; and as `get`.
     */
    async getOrSet(caller: Caller, name: EntryName, load: Load, options: GetOrSetOptions = {}): Promise<Outcome> {
      const call = { caller, name, load, options: resolveOptions(options, maxLeaseMs) };
      const copy = local.answer(caller, name, false);
      if (copy !== null) return fromCache(copy);
      for (let asks = 1; ; asks++) {
        const seen = await ask(call);
        if ('down' in seen) return (await withoutCache(call, seen.down)).outcome;
        const { entry, lease } = seen;
        if (isFresh(entry)) {
          if (lease.state === 'granted') refresh(call, seen, lease.token);
          return fromCache(entry);
        }
        const stale = staleOf(entry);
        if (lease.state === 'granted') {
          return (await served(call, startLoad(call, seen, lease.token).join(caller.signal), stale)).outcome;
        }
        if (lease.state === 'held') {
          if (stale !== null && call.options.whenBusy === 'stale') return fromCache(stale);
          const { outcome, overtaken } = await waitFor(call, seen);
          if (!overtaken || asks === MAX_ASKS) return outcome;
        } else if (asks === MAX_ASKS) return (await loadUnguarded(call, seen.id, stale)).outcome;
      }
    },
  };
}

const isFresh = (entry: StoredEntry | null): entry is StoredEntry => entry !== null && !entry.stale;

/** What may be served while there is nothing better. */
const staleOf = (entry: StoredEntry | null): StoredEntry | null => (entry?.meta.negative ? null : entry);

const fromCache = ({ value, meta, stale }: StoredEntry): Outcome =>
  meta.negative ? null : { value, meta, from: 'cache', stale, notStored: null };

const asStored = (entry: StoredEntry): Ran => ({ outcome: fromCache(entry), overtaken: false });

/** What several are given is copied for each. */
const ownCopy = ({ outcome, overtaken }: Ran): Ran => ({
  outcome: outcome === null ? null : { ...outcome, value: Buffer.from(outcome.value) },
  overtaken,
});

function goOn(work: Promise<unknown>, { waitUntil, onBackgroundError }: Resolved): void {
  const ended = work.then(
    () => undefined,
    (error: unknown) => onBackgroundError?.(error),
  );
  waitUntil?.(ended);
  background.track(ended);
}
