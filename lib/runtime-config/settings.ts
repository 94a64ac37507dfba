/** Settings as versions state them: raw values by path. Pure. */
import { type Layer, type OriginKind, overlay } from '../config/layer.ts';
import { type PlacedSetting, SETTINGS } from '../config/schema.ts';
import type { RawValue } from '../config/value-types.ts';

/** As they would be written in the file, by path, as `cache.default_ttl_seconds`. */
export type Settings = Readonly<Record<string, RawValue>>;

/** Where a version has its settings from. Each replaces only what it has stated before. */
export const SOURCES = ['file', 's3', 'api'] as const;
export type Source = (typeof SOURCES)[number];

/** What a version states, by where it has it from; later ones win, and those of the API win over the environment. */
export type Parts = Readonly<Record<Source, Settings>>;

export const NO_PARTS: Parts = { file: {}, s3: {}, api: {} };

const BY_PATH: ReadonlyMap<string, PlacedSetting> = new Map(SETTINGS.map((setting) => [setting.path, setting]));

export const settingAt = (path: string): PlacedSetting | undefined => BY_PATH.get(path);

/** Whether a version may state it. One that this code does not know is of another, and is left alone. */
export const isVersioned = (path: string): boolean => {
  const setting = BY_PATH.get(path);
  return setting !== undefined && setting.fixed !== true && setting.secret === undefined;
};

/** As resolveConfig takes them. @param name of the version, as messages tell it. */
export function layersOf(parts: Parts, name: string): { readonly file: Layer; readonly above: Layer } {
  const file = overlay([layer(parts.file, 'file', name), layer(parts.s3, 'file', name)]);
  return { file, above: layer(parts.api, 'version', name) };
}

const layer = (settings: Settings, kind: OriginKind, name: string): Layer =>
  new Map(
    Object.entries(settings)
      .filter(([path]) => isVersioned(path))
      .map(([path, raw]) => [path, { raw, origin: { kind, name } }]),
  );

/** Those for which `keep` holds, of every part. */
export function filterParts(parts: Parts, keep: (path: string) => boolean): Parts {
  const some = (settings: Settings) => sorted(Object.entries(settings).filter(([path]) => keep(path)));
  return { file: some(parts.file), s3: some(parts.s3), api: some(parts.api) };
}

/** Both together; what `over` states wins. */
export function mergeParts(under: Parts, over: Parts): Parts {
  const both = (source: Source) => sorted([...Object.entries(under[source]), ...Object.entries(over[source])]);
  return { file: both('file'), s3: both('s3'), api: both('api') };
}

/**
 * What a running instance goes by: of what it can take, what the version states; of the rest, what it started with.
 */
export function runningParts(started: Parts, version: Parts): Parts {
  const isHot = (path: string) => BY_PATH.get(path)?.hot === true;
  return mergeParts(
    filterParts(started, (path) => !isHot(path)),
    filterParts(version, isHot),
  );
}

/** In one order, so that equal settings are equal texts. */
export const sorted = (entries: readonly (readonly [string, RawValue])[]): Settings =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));

export const sameParts = (a: Parts, b: Parts): boolean => canonical(a) === canonical(b);
const canonical = (parts: Parts) =>
  JSON.stringify(SOURCES.map((source) => Object.entries(filterParts(parts, () => true)[source])));

/** One setting that two configurations differ in; as it would be written. */
export interface SettingChange {
  readonly name: string;
  readonly from: RawValue;
  readonly to: RawValue;
  /** Running instances take it; if not, it waits for their next start. */
  readonly hot: boolean;
}

/** Where two layers differ, in the order of the documentation. Settings of the deployment are not compared: none can differ. */
export function changesBetween(before: Layer, after: Layer): readonly SettingChange[] {
  return SETTINGS.filter(({ path }) => isVersioned(path)).flatMap(({ path, hot }) => {
    const [from = '', to = ''] = [before.get(path)?.raw, after.get(path)?.raw];
    return textOf(from) === textOf(to) ? [] : [{ name: path, from, to, hot }];
  });
}

const textOf = (raw: RawValue): string => (typeof raw === 'string' ? raw.trim() : raw.join(','));

/** `{ 'cache.version': 'v1' }` as `{ cache: { version: 'v1' } }`: as the API takes and shows it. */
export function nested(settings: Settings): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path, raw] of Object.entries(settings)) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let node = root;
    for (const name of names) {
      node[name] ??= {};
      node = node[name] as Record<string, unknown>;
    }
    node[last] = raw;
  }
  return root;
}
