/** The configuration at run time: versions of it, made by requests and by files, and which one is active. */
import { ConfigCanaryError, ConfigRefusedError, type Issue, NotFoundError } from '../errors.ts';
import { isoOf } from '../iso-time.ts';
import type { AdminCall } from '../tenants/admin-call.ts';
import { originOf } from '../tenants/admin-call.ts';
import type { Activation, NextActive, Noted, Standing } from './activation.ts';
import type { SeenFiles } from './active-format.ts';
import { resolveParts, type StartSources } from './effective.ts';
import { changesBetween, type Parts, runningParts, type SettingChange, type Source, sameParts } from './settings.ts';
import type { ConfigVersion } from './version-format.ts';

export type RuntimeConfig = ReturnType<typeof createRuntimeConfig>;

/** Another configuration, to be made from what is active. */
export interface Alteration {
  readonly source: Source;
  readonly note: string | null;
  /** null: for everybody. */
  readonly share: number | null;
  readonly seen?: Partial<SeenFiles>;
  /** What is wrong with it, whatever it is made of: told together with what is wrong with its values. */
  readonly issues: readonly Issue[];
  alter(parts: Parts): Promise<Parts> | Parts;
}

/** What a call came to, or would. */
export interface ConfigOutcome {
  readonly standing: Standing;
  readonly version: number | null;
  readonly changes: readonly SettingChange[];
  /** Settings that the instance which answers has other values of, until its next start. */
  readonly restartRequired: readonly string[];
}

export interface RuntimeConfigDeps {
  readonly activation: Activation;
  readonly sources: StartSources;
  /** What the version stated that this instance started with. */
  readonly started: Parts;
  /** Takes what is active now on this instance. */
  readonly takeNow: (signal?: AbortSignal) => Promise<void>;
  /** Unix ms. */
  readonly now: () => number;
}

export function createRuntimeConfig({ activation, sources, started, takeNow, now }: RuntimeConfigDeps) {
  /** @throws {ConfigRefusedError} every bad setting at once. */
  const resolve = async (parts: Parts, name: string, before: readonly Issue[] = []) => {
    const whole = await resolveParts(sources, parts, name);
    const running = whole.issues.length > 0 ? whole : await resolveParts(sources, runningParts(started, parts), name);
    const issues = [...before, ...whole.issues, ...(running === whole ? [] : running.issues)];
    if (issues.length > 0) throw new ConfigRefusedError('The configuration cannot be used', { issues });
    return whole.layer;
  };

  const mustFind = async (version: number, signal?: AbortSignal): Promise<ConfigVersion> => {
    const found = await activation.find(version, signal);
    if (found === null) throw new NotFoundError('config_version_not_found', 'No such version of the configuration');
    return found;
  };

  const restartRequired = async (parts: Parts): Promise<readonly string[]> => {
    const mine = await resolveParts(sources, started, 'the start');
    const { layer } = await resolveParts(sources, parts, 'the version');
    return changesBetween(mine.layer, layer).flatMap(({ name, hot }) => (hot ? [] : [name]));
  };

  const differences = async (from: Parts, to: Parts): Promise<readonly SettingChange[]> =>
    changesBetween(
      (await resolveParts(sources, from, 'before')).layer,
      (await resolveParts(sources, to, 'after')).layer,
    );

  /** What an alteration comes to, on what is active; null: nothing differs. */
  const planOf = async (alteration: Alteration, { version, canary }: Standing, call: AdminCall) => {
    const { share, source, note } = alteration;
    if (canary !== null && share === null)
      throw new ConfigCanaryError(
        `Version ${canary.version} is being tried: activate it, or version ${version}, first`,
      );
    const base = await mustFind(share === null ? version : (canary?.version ?? version), call.signal);
    const parts = await alteration.alter(base.settings);
    await resolve(parts, 'this change', alteration.issues);
    const changes = await differences(base.settings, parts);
    const made: Omit<ConfigVersion, 'version'> = {
      ...{ created_at: isoOf(now()), author: originOf(call).actor, source, note, settings: parts, changes },
    };
    // A file may state what a request has set otherwise: it holds once that is taken back.
    const isSame = changes.length === 0 && (alteration.seen === undefined || sameParts(base.settings, parts));
    return { made, changes, isSame };
  };

  const outcome = async (
    standing: Standing,
    version: number | null,
    changes: readonly SettingChange[],
    parts: Parts,
  ): Promise<ConfigOutcome> => ({ standing, version, changes, restartRequired: await restartRequired(parts) });

  /** Whatever goes wrong here, the version is active, and this instance finds it with its next look. */
  const takeSoon = (signal?: AbortSignal) => takeNow(signal).catch(() => {});

  return {
    /**
     * Makes a version and activates it, unless nothing differs; files that were looked at are noted. With `dryRun` only tells what would change.
     * @throws {ConfigRefusedError} @throws {ConfigCanaryError} @throws as VersionStore.
     */
    async alter(alteration: Alteration, call: AdminCall, dryRun = false): Promise<ConfigOutcome> {
      if (dryRun) {
        const standing = await activation.standing(call.signal);
        const { made, changes } = await planOf(alteration, standing, call);
        return outcome(standing, null, changes, made.settings);
      }
      const { source, share, seen } = alteration;
      const { standing, version } = await activation.commit(call, async (found): Promise<NextActive | Noted | null> => {
        const { made, changes, isSame } = await planOf(alteration, found, call);
        if (isSame) return seen === undefined ? null : { seen };
        const details = { source, share, settings: changes.map(({ name }) => name) };
        return { version: made, share, details, ...(seen === undefined ? {} : { seen }) };
      });
      if (version === null) {
        const active = await mustFind(standing.version, call.signal);
        return outcome(standing, null, [], active.settings);
      }
      await takeSoon(call.signal);
      return outcome(standing, version.version, version.changes, version.settings);
    },

    /**
     * Activates a version that there is, for everybody or tried with a share of the tenants.
     * @throws {NotFoundError} @throws {ConfigRefusedError} this code cannot use it any more. @throws as VersionStore.
     */
    async activate(
      wanted: number,
      {
        share,
        note,
        dryRun,
      }: { readonly share: number | null; readonly note: string | null; readonly dryRun: boolean },
      call: AdminCall,
    ): Promise<ConfigOutcome> {
      const target = await mustFind(wanted, call.signal);
      await resolve(target.settings, `version ${wanted}`);
      const before = await activation.standing(call.signal);
      const changes = await differences((await mustFind(before.version, call.signal)).settings, target.settings);
      if (dryRun) return outcome(before, null, changes, target.settings);
      const { standing, version } = await activation.commit(call, async ({ version: active, canary }) => {
        const isSo =
          share === null ? canary === null && active === wanted : canary?.version === wanted && canary.share === share;
        return isSo ? null : { version: wanted, share, details: { note, share } };
      });
      if (version !== null) await takeSoon(call.signal);
      return outcome(standing, version?.version ?? null, version === null ? [] : changes, target.settings);
    },

    /** What is active, Redis brought up to it. @throws as VersionStore. */
    standing: (signal?: AbortSignal): Promise<Standing> => activation.standing(signal),

    /** A version. @throws {NotFoundError} */
    find: mustFind,

    /** How two versions differ in effect. */
    differences,
  };
}
