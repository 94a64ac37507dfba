/** The data keys of tenants, unwrapped and kept for a while: KMS is asked once in minutes, not once a request. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { BlobUnavailableError, KeyProviderUnavailableError } from '../errors.ts';
import type { KeyContext, KeyProvider, WrappedKey } from './key-provider.ts';

export type DataKeys = ReturnType<typeof createDataKeys>;

/** Which data key of a tenant, and how to come by it where it is not in memory: wrapped keys are kept in S3 only. */
export interface DataKeyRef {
  /** From 1; every sealed value names it. */
  readonly version: number;
  /** @throws {BlobUnavailableError} it cannot be read now. @throws {KeyRefusedError} there is none: it was destroyed. */
  load(): Promise<WrappedKey>;
}

export interface DataKeyDeps {
  readonly provider: KeyProvider;
  /** A key this old is asked for again before it is used. */
  readonly maxAgeMs: number;
  /** How old a key may get while the provider cannot be reached. */
  readonly staleMs: number;
  /** Unix time, ms. */
  readonly now: () => number;
  /** Default: {@link MAX_KEYS}. */
  readonly maxKeys?: number;
}

/** Keys kept at most: the least recently used goes first. About 1 KB each. As many as an instance knows tenants. */
const MAX_KEYS = 20_000;
/** After a failure the provider is left alone for so long: a key that is gone must not cost one call a request. */
const PAUSE_MS = 1_000;

interface Slot {
  readonly tenant: string;
  readonly key: KeyObject | undefined;
  /** When the provider last gave the key; without one, when it did not. */
  readonly givenAtMs: number;
  readonly failure: { readonly error: unknown; readonly atMs: number } | undefined;
}

const isOutage = (error: unknown): boolean =>
  error instanceof KeyProviderUnavailableError || error instanceof BlobUnavailableError;

/** What a data key of a tenant is wrapped for. */
export const dataKeyContext = (tenant: string): KeyContext => ({ tenant, purpose: 'data-key' });

export function createDataKeys(deps: DataKeyDeps) {
  const { provider, now, maxKeys = MAX_KEYS } = deps;
  /** Oldest use first. */
  const slots = new Map<string, Slot>();
  const flights = new Map<string, Promise<KeyObject>>();

  /** A clock that was set back makes a key old, not young. */
  const isWithin = (sinceMs: number, limitMs: number): boolean => Math.abs(now() - sinceMs) < limitMs;

  /** Keys nobody may use any more leave the memory, too: those of erased tenants among them. */
  const dropStale = (): void => {
    for (const [id, slot] of slots) {
      if (isWithin(slot.givenAtMs, deps.staleMs)) return;
      slots.delete(id);
    }
  };

  const keep = (id: string, slot: Slot): void => {
    slots.delete(id);
    slots.set(id, slot);
    dropStale();
    if (slots.size > maxKeys) slots.delete(slots.keys().next().value as string);
  };

  /** Only these errors say nothing about the key: anything else takes it away. */
  const mayGoOn = (slot: Slot | undefined, error: unknown): slot is Slot & { readonly key: KeyObject } =>
    slot?.key !== undefined && isOutage(error) && isWithin(slot.givenAtMs, deps.staleMs);

  async function unwrap(tenant: string, key: DataKeyRef): Promise<KeyObject> {
    const plaintext = await provider.unwrap(await key.load(), dataKeyContext(tenant));
    try {
      return createSecretKey(plaintext);
    } finally {
      plaintext.fill(0);
    }
  }

  /** @param before what was kept: with the provider down it may go on. */
  async function refresh(id: string, of: { tenant: string; wanted: DataKeyRef; before: Slot | undefined }) {
    const { tenant, wanted, before } = of;
    // Forgotten meanwhile: the answer is for those who wait for it, and is not kept.
    const isOurs = () => flights.get(id) === flight;
    const flight: Promise<KeyObject> = unwrap(tenant, wanted)
      .then(
        (key) => {
          if (isOurs()) keep(id, { tenant, key, givenAtMs: now(), failure: undefined });
          return key;
        },
        (error: unknown) => {
          const failure = { error, atMs: now() };
          const goesOn = mayGoOn(before, error);
          if (isOurs()) {
            keep(id, {
              tenant,
              key: goesOn ? before.key : undefined,
              givenAtMs: goesOn ? before.givenAtMs : failure.atMs,
              failure,
            });
          }
          if (goesOn) return before.key;
          throw error;
        },
      )
      .finally(() => {
        if (isOurs()) flights.delete(id);
      });
    flights.set(id, flight);
    return flight;
  }

  return {
    /**
     * The key, from memory while it is young. Older, the provider is asked first, once for all who wait; when it cannot be
     * reached the key goes on until `staleMs`, and when it refuses, the key is dropped at once.
     * @throws {KeyProviderUnavailableError | BlobUnavailableError} not known here, and provider or S3 cannot be reached.
     * @throws {KeyRefusedError} the provider does not hand it out, or not any more.
     */
    async get(tenant: string, wanted: DataKeyRef): Promise<KeyObject> {
      const id = `${tenant}\0${wanted.version}`;
      const slot = slots.get(id);
      if (slot?.key !== undefined && isWithin(slot.givenAtMs, deps.maxAgeMs)) {
        keep(id, slot);
        return slot.key;
      }
      const flight = flights.get(id);
      if (flight !== undefined) return flight;
      if (slot?.failure !== undefined && isWithin(slot.failure.atMs, PAUSE_MS)) {
        if (mayGoOn(slot, slot.failure.error)) return slot.key;
        throw slot.failure.error;
      }
      return refresh(id, { tenant, wanted, before: slot });
    },

    /** Drops all keys of a tenant that is erased; answers under way are not kept. */
    forget(tenant: string): void {
      for (const [id, slot] of slots) if (slot.tenant === tenant) slots.delete(id);
      for (const id of flights.keys()) if (id.startsWith(`${tenant}\0`)) flights.delete(id);
    },

    /** How many keys are kept, for tests and metrics. */
    size: (): number => slots.size,
  };
}
