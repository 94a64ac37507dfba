/**
 * Makes versions and activates them, in an order in which every step may be the last: the version, which is active (S3), Redis
 * and the audit log (one script). What a kill leaves undone, the next one does first; the schedule does it within a minute.
 */
import { type AuditDetails, newAuditEntry } from '../audit/entry.ts';
import { BlobUnavailableError, CorruptValueError } from '../errors.ts';
import { newUlid } from '../ids.ts';
import { type AdminCall, originOf } from '../tenants/admin-call.ts';
import { type Active, type ActiveCanary, NOTHING_SEEN, type SeenFiles, type StoredActive } from './active-format.ts';
import { sameParts } from './settings.ts';
import { type ConfigVersion, DEPLOYED } from './version-format.ts';
import type { VersionStore } from './version-store.ts';

export type Activation = ReturnType<typeof createActivation>;

/** What is active, and which files it was made from. */
export interface Standing extends Active {
  readonly seen: SeenFiles;
}

/** What is to be active. */
export interface NextActive {
  /** One that there is, or one to be made. */
  readonly version: number | Omit<ConfigVersion, 'version'>;
  /** null: for everybody; else tried with this share of the tenants. */
  readonly share: number | null;
  /** Files it was made from. */
  readonly seen?: Partial<SeenFiles>;
  /** For the audit log. */
  readonly details: AuditDetails;
}

/** Files that change nothing as things are: only noted, so that they do not undo a rollback later. */
export type Noted = Required<Pick<NextActive, 'seen'>>;

export interface Activated {
  readonly standing: Standing;
  /** The version this call activated; null: it had nothing to activate. */
  readonly version: ConfigVersion | null;
}

interface Found {
  readonly standing: Standing;
  readonly stored: StoredActive | null;
  readonly etag: string | null;
}

const MAX_TRIES = 12;

export function createActivation({ store, now }: { readonly store: VersionStore; readonly now: () => number }) {
  /** @throws {CorruptValueError} it is named, and nowhere. */
  const mustRead = async (version: number, signal?: AbortSignal): Promise<ConfigVersion> => {
    const [found] = await store.readInUse([version], signal);
    if (found == null) throw new CorruptValueError(`Version ${version} of the configuration is named and not stored`);
    return found;
  };

  /** @param known one that need not be read. */
  const inUse = async (
    { version, canary }: Active,
    { known, signal }: { readonly known?: ConfigVersion; readonly signal?: AbortSignal | undefined },
  ): Promise<readonly ConfigVersion[]> => {
    const numbers = [...new Set([version, canary?.version ?? 0])].filter((number) => number > 0);
    return Promise.all(numbers.map((number) => (known?.version === number ? known : mustRead(number, signal))));
  };

  /** What is active; where Redis does not know of it yet, it does now. */
  const settle = async (signal?: AbortSignal): Promise<Found> => {
    const { stored, etag } = await store.readStored(signal);
    const active = await store.readActive(signal);
    if (stored !== null && stored.rev > active.rev)
      await store.publish(stored, await inUse(stored, { signal }), signal);
    const { seen = NOTHING_SEEN } = stored ?? {};
    // Of two, the later: S3's own may have been lost.
    const latest = stored !== null && stored.rev >= active.rev ? stored : active;
    return { standing: { rev: latest.rev, version: latest.version, canary: latest.canary, seen }, stored, etag };
  };

  /** A new version, or the newest one where it states the same and is not in use: made by somebody who saw the same file. */
  const make = async (
    wanted: Omit<ConfigVersion, 'version'>,
    { version, canary }: Active,
    signal?: AbortSignal,
  ): Promise<ConfigVersion | null> => {
    const newest = await store.newest(Math.max(version, canary?.version ?? 0), signal);
    const last = newest === 0 ? null : await store.readVersion(newest, signal);
    if (last !== null && last.source === wanted.source && sameParts(last.settings, wanted.settings)) return last;
    const made = { version: newest + 1, ...wanted };
    return (await store.writeVersion(made, signal)) ? made : null;
  };

  const numberOf = (
    { version }: ConfigVersion,
    share: number | null,
    standing: Standing,
  ): { version: number; canary: ActiveCanary | null } =>
    share === null ? { version, canary: null } : { version: standing.version, canary: { version, share } };

  /** False: somebody else was quicker. Before the first activation there is nothing to go back to, and nothing is noted. */
  const note = async ({ stored, etag }: Found, noted: Partial<SeenFiles>, signal?: AbortSignal): Promise<boolean> => {
    const seen = { ...NOTHING_SEEN, ...stored?.seen, ...noted };
    const isSo = stored === null || (seen.file === stored.seen.file && seen.s3 === stored.seen.s3);
    return isSo || store.writeStored({ ...stored, seen }, etag, signal);
  };

  return {
    /** What is active now, Redis brought up to it. */
    standing: async (signal?: AbortSignal): Promise<Standing> => (await settle(signal)).standing,

    /** A version, from wherever it is; null: there is none. */
    async find(version: number, signal?: AbortSignal): Promise<ConfigVersion | null> {
      if (version === 0) return DEPLOYED;
      return (await store.readInUse([version], signal))[0] ?? null;
    },

    /**
     * Activates what `decide` says, on what is active then; it is asked again when somebody else was quicker. The same operation
     * again changes nothing.
     * @throws what `decide` throws; nothing was changed. @throws as VersionStore: what has begun is finished by the next call, or
     * the schedule.
     */
    async commit(
      call: AdminCall,
      decide: (standing: Standing) => Promise<NextActive | Noted | null>,
    ): Promise<Activated> {
      const { signal } = call;
      const op = call.ulid ?? newUlid(now());
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const found = await settle(signal);
        const { standing, stored, etag } = found;
        if (stored?.op === op)
          return { standing, version: await mustRead((standing.canary ?? standing).version, signal) };
        const next = await decide(standing);
        if (next === null) return { standing, version: null };
        if (!('version' in next)) {
          if (await note(found, next.seen, signal)) return { standing, version: null };
          continue;
        }
        const version =
          typeof next.version === 'number'
            ? await mustRead(next.version, signal)
            : await make(next.version, standing, signal);
        if (version === null) continue;
        const active: Active = { rev: standing.rev + 1, ...numberOf(version, next.share, standing) };
        const seen = { ...standing.seen, ...next.seen };
        const details = { ...next.details, version: version.version, from: standing.version };
        const entry = newAuditEntry({
          id: op,
          action: 'config.activate',
          tenantId: null,
          ...originOf(call),
          details,
          now: now(),
        });
        if (!(await store.writeStored({ ...active, seen, op, entry }, etag, signal))) continue;
        await store.publish({ ...active, seen, op, entry }, await inUse(active, { known: version, signal }), signal);
        return { standing: { ...active, seen }, version };
      }
      throw new BlobUnavailableError('Others changed the configuration again and again while this ran', {
        retryAfterMs: 1_000,
      });
    },
  };
}
