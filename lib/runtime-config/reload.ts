/** What makes another configuration: a request, the file in S3, a file that is watched. */
import type { BlobStore } from '../blobs/store.ts';
import { type AppError, ConfigCanaryError, ConfigRefusedError, CorruptValueError } from '../errors.ts';
import { CONFIG_FILE } from '../keys.ts';
import type { Telemetry } from '../metrics/telemetry.ts';
import type { AdminCall } from '../tenants/admin-call.ts';
import {
  digestOfFile,
  type FileAlteration,
  type FoundFile,
  foundFiles,
  givenFile,
  givenSettings,
} from './alterations.ts';
import type { ReloadRequest } from './contract.ts';
import type { StartSources } from './effective.ts';
import type { Alteration, ConfigOutcome, RuntimeConfig } from './runtime-config.ts';

export type Reload = ReturnType<typeof createReload>;

/** What a file came to. */
export type FileOutcome = 'unchanged' | 'taken' | 'refused' | 'waits';

export interface ReloadDeps {
  readonly runtimeConfig: RuntimeConfig;
  readonly blobs: Pick<BlobStore, 'get'>;
  readonly sources: StartSources;
  /** Reads a file as it is now. */
  readonly readFile: (path: string) => string | Promise<string>;
  readonly telemetry: Telemetry;
}

/** Of the file in S3. */
const MAX_FILE_BYTES = 1_048_576;

export function createReload({ runtimeConfig, blobs, sources, readFile, telemetry }: ReloadDeps) {
  /** The file in S3; empty: there is none. @throws {ConfigRefusedError} it is too large. */
  const readStored = async (signal?: AbortSignal): Promise<FoundFile> => {
    const name = 'persistence.yml';
    const found = await blobs.get(CONFIG_FILE, { signal, maxBytes: MAX_FILE_BYTES }).catch((cause: unknown) => {
      if (!(cause instanceof CorruptValueError)) throw cause;
      const issues = [{ field: name, message: `expected at most ${MAX_FILE_BYTES} bytes` }];
      throw new ConfigRefusedError('The configuration cannot be read', { issues, cause });
    });
    return { source: 's3', text: found?.body.toString('utf8') ?? '', name };
  };

  /** The file the deployment starts with, as it is now; null: it starts with none. */
  const readOwn = async (): Promise<FoundFile | null> => {
    const path = sources.env.RIPTIDE_CONFIG?.trim() ?? '';
    if (path === '') return null;
    try {
      return { source: 'file', text: await readFile(path), name: path.slice(path.lastIndexOf('/') + 1) };
    } catch (cause) {
      const issues = [{ field: 'RIPTIDE_CONFIG', message: 'the file it names cannot be read' }];
      throw new ConfigRefusedError('The configuration cannot be read', { issues, cause });
    }
  };

  const asked = async (request: ReloadRequest, signal?: AbortSignal) => {
    const { settings, yaml, note, tenant_share } = request;
    const aside = { note: note ?? null, share: tenant_share ?? null };
    if (settings !== undefined) return givenSettings(sources, settings, aside);
    if (yaml !== undefined) return givenFile(sources, yaml, aside);
    const files = await Promise.all([readOwn(), readStored(signal)]);
    return foundFiles(
      sources,
      files.filter((file) => file !== null),
      aside,
    );
  };

  /** A file nobody asks about: what is wrong with it is logged, with every problem, and the old configuration goes on. */
  const takeFile = async (
    source: FoundFile['source'],
    read: () => FoundFile | Promise<FoundFile>,
    call: AdminCall,
  ): Promise<FileOutcome> => {
    const { seen } = await runtimeConfig.standing(call.signal);
    try {
      const file = await read();
      const isSeen = digestOfFile(file.text) === seen[source] || (file.text === '' && seen[source] === null);
      if (isSeen) return 'unchanged';
      const alteration = await foundFiles(sources, [file], { note: null, share: null });
      const { version } = await runtimeConfig.alter(alteration, call);
      return version === null ? 'unchanged' : 'taken';
    } catch (error) {
      if (!(error instanceof ConfigRefusedError || error instanceof ConfigCanaryError)) throw error;
      logRefusal(source, error);
      return error instanceof ConfigCanaryError ? 'waits' : 'refused';
    }
  };

  const logRefusal = (source: FoundFile['source'], error: AppError) => {
    if (error instanceof ConfigCanaryError)
      return telemetry.logger.warn('A configuration file waits', { source, code: error.code });
    const problems = error.issues?.map(({ field, message }) => `${field}: ${message}`) ?? [error.message];
    telemetry.logger.error('A configuration file was not taken', { source, code: error.code, problems });
    telemetry.count('riptide_config_refused_total');
  };

  return {
    /**
     * Makes a version of what a request asks for; without anything, of the files as they are now.
     * @throws as RuntimeConfig.alter.
     */
    async reload(
      request: ReloadRequest,
      call: AdminCall,
      dryRun: boolean,
    ): Promise<ConfigOutcome & { readonly ignored: readonly string[] }> {
      const alteration: Alteration & Partial<FileAlteration> = await asked(request, call.signal);
      return { ...(await runtimeConfig.alter(alteration, call, dryRun)), ignored: alteration.ignored ?? [] };
    },

    /** Takes a watched file, unless it is the one taken last. Many at once make one version of it. */
    takeFile: (file: FoundFile, signal?: AbortSignal): Promise<FileOutcome> =>
      takeFile(file.source, () => file, { actor: 'file', signal }),

    /** Each minute, and when S3 tells of it: brings Redis up to S3, and takes the file in S3 if it is another one. */
    async takeStored(signal?: AbortSignal): Promise<{ readonly outcome: FileOutcome }> {
      return { outcome: await takeFile('s3', () => readStored(signal), { actor: 's3', signal }) };
    },
  };
}
