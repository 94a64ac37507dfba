/** Versions of the configuration, as they are listed and read. */
import { NotFoundError } from '../errors.ts';
import type { Activation, Standing } from './activation.ts';
import type { ConfigVersionListResponse, ConfigVersionResponse, OneConfigVersionResponse } from './contract.ts';
import { resolveParts, type StartSources } from './effective.ts';
import { changesBetween, filterParts, isVersioned, nested, type Parts, type SettingChange } from './settings.ts';
import type { ConfigVersion } from './version-format.ts';
import type { VersionStore } from './version-store.ts';

export type ConfigVersions = ReturnType<typeof createConfigVersions>;

export interface ConfigVersionsDeps {
  readonly activation: Activation;
  readonly store: Pick<VersionStore, 'readVersion' | 'newest'>;
  readonly sources: StartSources;
}

export function createConfigVersions({ activation, store, sources }: ConfigVersionsDeps) {
  const layerOf = async (parts: Parts) => (await resolveParts(sources, parts, 'a version')).layer;

  return {
    /** A page, newest first: one read of S3 for each, all at once. @throws as VersionStore. */
    async list(
      { limit, cursor }: { readonly limit: number; readonly cursor?: number | undefined },
      signal?: AbortSignal,
    ): Promise<ConfigVersionListResponse> {
      const standing = await activation.standing(signal);
      const newest = cursor === undefined ? await store.newest(standing.version, signal) : cursor - 1;
      const numbers = Array.from({ length: Math.min(limit, Math.max(0, newest)) }, (_, i) => newest - i);
      const found = await Promise.all(numbers.map((version) => store.readVersion(version, signal)));
      const last = numbers.at(-1) ?? 1;
      return {
        items: found.flatMap((version) => (version === null ? [] : [summaryOf(version, standing)])),
        next_cursor: last > 1 ? String(last) : null,
      };
    },

    /** One, with what it states and how the active one would change. @throws {NotFoundError} @throws as VersionStore. */
    async get(version: number, signal?: AbortSignal): Promise<OneConfigVersionResponse> {
      const found = await activation.find(version, signal);
      if (found === null) throw new NotFoundError('config_version_not_found', 'No such version of the configuration');
      const standing = await activation.standing(signal);
      const active = (await activation.find(standing.version, signal)) ?? found;
      const { file, s3, api } = filterParts(found.settings, isVersioned);
      const changes = changesBetween(await layerOf(active.settings), await layerOf(found.settings));
      return {
        ...summaryOf(found, standing),
        settings: nested({ ...file, ...s3, ...api }),
        diff_to_active: changes.map(changeReply),
      };
    },
  };
}

/** As replies have it: lists that may be written to are what zod infers. */
export const changeReply = ({ name, from, to, hot }: SettingChange) => ({ name, from: copy(from), to: copy(to), hot });
const copy = (raw: SettingChange['from']) => (typeof raw === 'string' ? raw : [...raw]);

const summaryOf = (found: ConfigVersion, { version: active, canary }: Standing): ConfigVersionResponse => {
  const { version, created_at, author, source, note, changes } = found;
  return {
    ...{ version, author, source, note },
    created_at: version === 0 ? null : created_at,
    active: version === active,
    tenant_share: canary?.version === version ? canary.share : null,
    changes: changes.map(changeReply),
  };
};
