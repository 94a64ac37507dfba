/** Other configurations that requests and files ask for: what each makes of the version before. */
import { createHash } from 'node:crypto';
import type { Layer } from '../config/layer.ts';
import { differing, resolveDeployed, resolveParts, type StartSources } from './effective.ts';
import { readGiven } from './given-settings.ts';
import type { Alteration } from './runtime-config.ts';
import { isVersioned, type Parts, type Source, sorted } from './settings.ts';

/** A file of settings as it was found; empty text: it is not there (any more). */
export interface FoundFile {
  readonly source: Exclude<Source, 'api'>;
  readonly text: string;
  /** To be shown. */
  readonly name: string;
}

/** With what it states and cannot change. */
export type FileAlteration = Alteration & { readonly ignored: readonly string[] };

interface Aside {
  readonly note: string | null;
  readonly share: number | null;
}

export const digestOfFile = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The settings a request names, and no others. */
export function givenSettings(
  sources: StartSources,
  groups: Readonly<Record<string, unknown>>,
  aside: Aside,
): Alteration {
  const { values, issues } = readGiven(groups);
  const alter = async (parts: Parts): Promise<Parts> => {
    const entries = Object.entries(parts.api).filter(([path]) => !values.has(path));
    const set = [...values].flatMap(([path, raw]) => (raw === null ? [] : [[path, raw] as const]));
    return withApi(sources, parts, layerOf([...entries, ...set]));
  };
  return { source: 'api', ...aside, issues, alter };
}

/** All that requests have set, replaced by a file's text. */
export async function givenFile(sources: StartSources, text: string, aside: Aside): Promise<FileAlteration> {
  const { readStatedFile } = await import('./stated-file.ts');
  const { layer, issues, ignored } = readStatedFile({ text, name: 'yaml' }, {});
  const stated = new Map([...layer].filter(([path]) => isVersioned(path)));
  return { source: 'api', ...aside, issues, ignored, alter: (parts) => withApi(sources, parts, stated) };
}

/** What the files stated before, replaced by what they state now. */
export async function foundFiles(
  sources: StartSources,
  files: readonly FoundFile[],
  aside: Aside,
): Promise<FileAlteration> {
  // With the parser of YAML, which administration needs for nothing else.
  const { readStatedFile } = await import('./stated-file.ts');
  const deployed = (await resolveDeployed(sources)).layer;
  const read = files.map((file) => ({ ...file, ...readStatedFile(file, sources.env) }));
  const settings = read.map(({ source, layer }) => [source, differing(layer, deployed, false)] as const);
  const shadowed = (path: string) => ['alias', 'variable'].includes(deployed.get(path)?.origin.kind ?? '');
  const ignored = read.flatMap(({ layer, ignored: fixed }) => [...fixed, ...[...layer.keys()].filter(shadowed)]);
  return {
    ...{ source: files.some(({ source }) => source === 's3') ? 's3' : 'file', ...aside },
    seen: Object.fromEntries(read.map(({ source, text }) => [source, digestOfFile(text)])),
    issues: read.flatMap(({ issues }) => issues),
    ignored: [...new Set(ignored)].sort(),
    alter: (parts) => ({ ...parts, ...Object.fromEntries(settings) }),
  };
}

/** What of `stated` is not so anyway. */
async function withApi(sources: StartSources, parts: Parts, stated: Layer): Promise<Parts> {
  const without = await resolveParts(sources, { ...parts, api: {} }, 'the files');
  return { ...parts, api: differing(stated, without.layer, true) };
}

const layerOf = (entries: readonly (readonly [string, string | readonly string[]])[]): Layer =>
  new Map(
    Object.entries(sorted(entries)).map(([path, raw]) => [
      path,
      { raw, origin: { kind: 'version', name: 'this change' } },
    ]),
  );
