/** What clients of cache-load.ts do: one call of the cache each, beside the history that says what it may answer. */
import { expect } from 'vitest';
import { compileGlob } from '../../lib/cache/invalidation/glob.ts';
import type { Selector } from '../../lib/cache/invalidation/selector.ts';
import { AppError } from '../../lib/errors.ts';
import type { EntryName } from '../../lib/keys.ts';
import type { Removal, Write } from './cache-history.ts';
import type { Client } from './cache-load.ts';
import { KilledError } from './random-faults.ts';

export const NAMESPACES = ['a', 'ab'];
export const KEYS = Array.from({ length: 8 }, (_, i) => (i < 4 ? `k${i}` : `x%${i}`));
export const NUMBERS = ['n0', 'n1'];
const TAGS = ['r', 'g', 'b'];
const LIVES_MS = [null, null, null, 20, 200, 3_600_000];
const GRACES_MS = [0, 0, 300];
/** Of those that end while it runs. */
export const LONGEST_LIFE_MS = 500;

/** Of the calls nobody disturbed: what they may be refused for. */
const REFUSALS = new Set(['precondition_failed', 'lease_lost', 'contended', 'upload_gone']);
const SHORTAGES = new Set(['memory_full', 'storage_full']);

interface Done {
  readonly faulted: boolean;
  readonly refused: boolean;
}
export type Step = (client: Client) => Promise<Done>;

const idOf = ({ namespace, key }: EntryName) => `${namespace}/${key}`;
const oneOf = <T>(random: Client['random'], items: readonly T[]): T => items[random(items.length)] as T;
const nameOf = (random: Client['random']): EntryName => ({
  namespace: oneOf(random, NAMESPACES),
  key: oneOf(random, KEYS),
});
const isRefusal = ({ place }: Client, code: string) => REFUSALS.has(code) || (place.tight && SHORTAGES.has(code));

/** Runs a call. Undisturbed it must succeed, or be refused as it may be. @returns what it gave; undefined: it failed. */
async function attempt<T>(client: Client, call: () => Promise<T>): Promise<Done & { readonly value?: T }> {
  const { random, faults } = client;
  const done = await faults.run(random, call);
  if (!('error' in done)) return { value: done.value as T, faulted: done.faulted, refused: false };
  const { error, faulted } = done;
  const code = error instanceof AppError ? error.code : '';
  const refused = isRefusal(client, code);
  // Somebody who was killed may have been waited for by others.
  if (!faulted && !refused && !(error instanceof KilledError)) throw error;
  return { faulted: faulted || error instanceof KilledError, refused: refused && !faulted };
}

function newWrite({ place, random }: Client, name: EntryName) {
  const ttlMs = oneOf(random, LIVES_MS);
  const graceMs = ttlMs === null ? 0 : oneOf(random, GRACES_MS);
  const tags = TAGS.filter(() => random(4) === 0);
  const size = oneOf(random, [20, 400, 3_000, 7_000, 20_000]);
  const text = place.history.newText();
  // Half of them can be packed.
  const rest = Buffer.from(
    random(2) === 0 ? 'abcdefgh'.repeat(size / 8) : Array.from({ length: size }, () => random(256)),
  );
  const value = Buffer.concat([Buffer.from(text), rest]);
  const meta = { content_type: 'application/x-test', ...(tags.length === 0 ? {} : { tags }) };
  const write = place.history.write({ id: idOf(name), value, tags, lasting: ttlMs === null });
  return { write, entry: { value, meta, ttlMs, graceMs } };
}

function ended({ place }: Client, what: { end: number; sure: boolean }, sure: boolean): void {
  what.sure = sure;
  what.end = place.history.now();
}

function endWrite(client: Client, write: Write, { stored, refused }: { stored: boolean; refused: boolean }): void {
  ended(client, write, stored);
  if (refused) client.place.history.unwrite(write);
}

const set: Step = async (client) => {
  const { app, place, random } = client;
  const name = nameOf(random);
  const { write, entry } = newWrite(client, name);
  const condition = oneOf(random, ['none', 'none', 'absent', 'exists'] as const);
  const done = await attempt(client, () => app.cache.set(place.caller, name, { ...entry, condition }));
  endWrite(client, write, { stored: done.value !== undefined, refused: done.refused });
  return done;
};

const get: Step = async (client) => {
  const { app, place, random } = client;
  const { caller, history } = place;
  const name = nameOf(random);
  const [start, startMs] = [history.now(), Date.now()];
  const stale = random(3) === 0;
  const done = await attempt(client, () => app.cache.get(caller, name, { stale }));
  const entry = done.value;
  if (entry === null) expect(history.whyNotMissed(idOf(name), start), place.title).toBeNull();
  else if (entry !== undefined && 'value' in entry) {
    expect(history.whyNotSeen(idOf(name), entry.value, start), place.title).toBeNull();
    expect(entry.expiresAtMs ?? startMs + 1).toBeGreaterThan(startMs);
    if (entry.stale) expect(stale).toBe(true);
  }
  return done;
};

const remove: Step = async (client) => {
  const { app, place, random } = client;
  const { caller, history } = place;
  const name = nameOf(random);
  const removal = removalOf(client, [idOf(name)]);
  const done = await attempt(client, () => app.cache.delete(caller, name));
  if (done.value === false && !done.faulted)
    expect(history.whyNotMissed(idOf(name), removal.start, removal), place.title).toBeNull();
  ended(client, removal, done.value !== undefined);
  return done;
};

function removalOf({ place }: Client, ids: readonly string[]): Removal {
  return place.history.removal({ hides: ({ id }) => ids.includes(id), mayRemove: (id) => ids.includes(id) });
}

const someKeys = (random: Client['random']) => KEYS.filter(() => random(2) === 0);

const setMany: Step = async (client) => {
  const { app, place, random } = client;
  const namespace = oneOf(random, NAMESPACES);
  const keys = someKeys(random);
  if (keys.length === 0) return { faulted: false, refused: false };
  const items = keys.map((key) => ({ key, ...newWrite(client, { namespace, key }) }));
  const entries = items.map(({ key, entry }) => ({ key, ...entry }));
  const done = await attempt(client, () => app.cache.setMany(place.caller, namespace, entries));
  for (const [i, { write }] of items.entries()) {
    const item = done.value?.[i];
    const failed = item !== undefined && 'error' in item;
    if (failed && !done.faulted && !isRefusal(client, item.error.code)) throw item.error;
    endWrite(client, write, {
      stored: item !== undefined && !failed,
      refused: !done.faulted && (failed || done.refused),
    });
  }
  return done;
};

const getMany: Step = async (client) => {
  const { app, place, random } = client;
  const namespace = oneOf(random, NAMESPACES);
  const start = place.history.now();
  const done = await attempt(client, () => app.cache.getMany(place.caller, namespace, KEYS));
  for (const item of done.value ?? []) {
    const id = idOf({ namespace, key: item.key });
    if (item.status === 'miss') expect(place.history.whyNotMissed(id, start), place.title).toBeNull();
    if (item.status === 'error' && !done.faulted) throw item.error;
    if (item.status !== 'hit' || !('value' in item.entry)) continue;
    expect(place.history.whyNotSeen(id, item.entry.value, start), place.title).toBeNull();
  }
  return done;
};

const deleteMany: Step = async (client) => {
  const { app, place, random } = client;
  const namespace = oneOf(random, NAMESPACES);
  const keys = someKeys(random);
  if (keys.length === 0) return { faulted: false, refused: false };
  const removal = removalOf(
    client,
    keys.map((key) => idOf({ namespace, key })),
  );
  const done = await attempt(client, () => app.cache.deleteMany(place.caller, namespace, keys));
  ended(client, removal, done.value?.every(({ status }) => status !== 'error') ?? false);
  return done;
};

const increment: Step = async (client) => {
  const { app, place, random } = client;
  const key = oneOf(random, NUMBERS);
  const made = place.history.increment(key);
  const done = await attempt(client, () =>
    app.cache.increment(place.caller, { namespace: 'num', key }, 1, { ttlMs: null, graceMs: 0 }),
  );
  if (done.value !== undefined) {
    expect(place.history.whyNotCounted(key, done.value.value, made.start), place.title).toBeNull();
  }
  ended(client, made, done.value !== undefined);
  return done;
};

const readNumber: Step = async (client) => {
  const { app, place, random } = client;
  const key = oneOf(random, NUMBERS);
  const start = place.history.now();
  const done = await attempt(client, () => app.cache.get(place.caller, { namespace: 'num', key }));
  const entry = done.value;
  if (entry === undefined || (entry !== null && !('value' in entry))) return done;
  const number = entry === null ? 0 : Number(entry.value.toString());
  expect(place.history.whyNotCounted(key, number, start), place.title).toBeNull();
  return done;
};

const touch: Step = async (client) => {
  const { app, place, random } = client;
  const name = nameOf(random);
  const ttlMs = oneOf(random, [null, 30, 3_600_000]);
  const removal = place.history.removal({
    hides: () => false,
    mayRemove: (id) => ttlMs !== null && id === idOf(name),
  });
  const done = await attempt(client, () => app.cache.touch(place.caller, name, { ttlMs, graceMs: 0 }));
  ended(client, removal, done.value !== undefined);
  return done;
};

const getOrSet: Step = async (client) => {
  const { app, place, random } = client;
  const { caller, history } = place;
  const name = nameOf(random);
  const loaded: Write[] = [];
  const background: Promise<void>[] = [];
  const { value: found, ...done } = await attempt(client, async () => {
    const load = async () => {
      const { write, entry } = newWrite(client, name);
      write.loadedAt = write.start;
      loaded.push(write);
      // A source that takes as long as some calls of others.
      for (let left = random(12); left > 0; left--) await app.redis.send(['TIME'], { kind: 'read' });
      return entry;
    };
    const obtained = await app.cache.getOrSet(caller, name, load, {
      leaseMs: 300,
      earlyShare: 0.5,
      whenBusy: oneOf(random, ['stale', 'wait'] as const),
      waitUntil: (work) => void background.push(work),
    });
    await Promise.all(background);
    return obtained;
  }).catch((error: unknown) => {
    // What went wrong may be somebody else's load, which was waited for.
    if (!(error instanceof AppError)) throw error;
    return { value: undefined, faulted: true, refused: false };
  });
  await Promise.all(background);
  for (const write of loaded) ended(client, write, false);
  // What somebody else loads, or loaded for nobody, may be given all the same.
  if (found?.from === 'cache') expect(history.isWhole(idOf(name), found.value)).toBe(true);
  return done;
};

/** An invalidation, and which entries it is about. */
function selection(random: Client['random']): {
  readonly selector: Selector;
  matches(write: Write): boolean;
  may(id: string): boolean;
} {
  const namespace = oneOf(random, NAMESPACES);
  const keyIn = (id: string) => (id.startsWith(`${namespace}/`) ? id.slice(namespace.length + 1) : null);
  const byId = (selector: Selector, fits: (id: string) => boolean) => ({
    selector,
    matches: ({ id }: Write) => fits(id),
    may: fits,
  });
  switch (random(12)) {
    case 0:
      return byId({ by: 'all' }, () => true);
    case 1:
      return byId({ by: 'namespace', namespace }, (id) => keyIn(id) !== null);
    case 2:
    case 3: {
      const keys = [oneOf(random, KEYS)];
      return byId({ by: 'keys', namespace, keys }, (id) => keys.includes(keyIn(id) ?? ''));
    }
    case 4:
    case 5: {
      const prefix = oneOf(random, ['k', 'x%', 'k1']);
      return byId({ by: 'prefix', namespace, prefix }, (id) => keyIn(id)?.startsWith(prefix) ?? false);
    }
    case 6:
    case 7: {
      const glob = oneOf(random, ['k?', 'x*5', '*1']);
      const compiled = compileGlob(glob);
      return byId({ by: 'glob', namespace, glob }, (id) => compiled.matches(keyIn(id) ?? ''));
    }
    default: {
      const tags = [oneOf(random, TAGS)];
      const matches = (write: Write) => write.tags.some((tag) => tags.includes(tag));
      return { selector: { by: 'tags', tags }, matches, may: (id) => !id.startsWith('n') };
    }
  }
}

const invalidate: Step = async (client) => {
  const { app, place, random } = client;
  const { selector, matches, may } = selection(random);
  const removal = place.history.removal({ hides: matches, mayRemove: may });
  const done = await attempt(client, () => app.invalidation.invalidate(place.caller, { selector, dry: false }));
  const outcome = done.value;
  ended(client, removal, outcome?.kind === 'done' || (outcome?.kind === 'job' && outcome.job.status === 'done'));
  return done;
};

const cleanUp: Step = (client) => attempt(client, async () => void (await client.app.cleanUp.run()));
const divide: Step = (client) => attempt(client, async () => void (await client.app.memoryBudget.run()));

/** Each with how often it is done. */
export const CACHE_STEPS: readonly (readonly [name: string, weight: number, step: Step])[] = [
  ['set', 25, set],
  ['get', 25, get],
  ['delete', 6, remove],
  ['set many', 4, setMany],
  ['get many', 5, getMany],
  ['delete many', 2, deleteMany],
  ['increment', 6, increment],
  ['read number', 3, readNumber],
  ['touch', 5, touch],
  ['get or set', 12, getOrSet],
  ['invalidate', 4, invalidate],
  ['clean up', 2, cleanUp],
  ['divide memory', 1, divide],
];
