/**
 * Which version of the configuration is active: as a short text in Redis, which every instance looks at, and with all that is
 * known of it as JSON in S3, which decides (`config/active.json`). Golden samples are in test/fixtures/stored-formats.json.
 */
import { type AuditEntry, isEntry } from '../audit/entry.ts';
import { CorruptValueError } from '../errors.ts';

export interface Active {
  /** Grows by one with each activation. */
  readonly rev: number;
  /** 0: what the deployment started with. */
  readonly version: number;
  readonly canary: ActiveCanary | null;
}

/** A version that is tried with some tenants. */
export interface ActiveCanary {
  readonly version: number;
  /** 0 to 1, of all tenants. */
  readonly share: number;
}

export interface StoredActive extends Active {
  /** Digests of the files' texts that were taken last: a rollback is not undone by the file it was made from. */
  readonly seen: SeenFiles;
  /** The operation that activated it. */
  readonly op: string;
  /** Of the activation: whoever puts it into Redis tells the audit log. */
  readonly entry: AuditEntry;
}

export interface SeenFiles {
  readonly file: string | null;
  readonly s3: string | null;
}

/** Before the first activation. */
export const NOTHING_ACTIVE: Active = { rev: 0, version: 0, canary: null };
export const NOTHING_SEEN: SeenFiles = { file: null, s3: null };

const TEXT = /^a1,(\d+),(\d+),(\d+|-),([\d.e-]+)$/;

/** `a1,<rev>,<version>,<version tried or ->,<share>`. */
export const packActive = ({ rev, version, canary }: Active): string =>
  `a1,${rev},${version},${canary?.version ?? '-'},${canary?.share ?? 0}`;

/** @throws {CorruptValueError} it is none. */
export function unpackActive(text: string): Active {
  const [, rev, version, tried, share] = TEXT.exec(text) ?? [];
  if (rev === undefined) throw new CorruptValueError('Not an active configuration');
  const canary = tried === '-' ? null : { version: Number(tried), share: Number(share) };
  return { rev: Number(rev), version: Number(version), canary };
}

export const packStoredActive = (active: StoredActive): string => JSON.stringify({ format: 'ca1', ...active });

/** @throws {CorruptValueError} it is none. */
export function unpackStoredActive(json: string): StoredActive {
  const { format, ...active } = parse(json);
  if (format !== 'ca1' || !isEntry(active.entry)) throw new CorruptValueError('Not an active configuration');
  return active;
}

function parse(json: string): StoredActive & { readonly format?: unknown } {
  try {
    return (JSON.parse(json) ?? {}) as StoredActive & { readonly format?: unknown };
  } catch (cause) {
    throw new CorruptValueError('Not an active configuration', { cause });
  }
}
