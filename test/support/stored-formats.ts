/** What an earlier version of the service left in Redis: test/fixtures/stored-formats.json. */
import { readFileSync } from 'node:fs';
import type { BlobRef, EntryCodec, EntryMeta } from '../../lib/cache/entry-format.ts';
import type { CheckpointManifest } from '../../lib/checkpoints/format/manifest-schema.ts';
import type { TenantId } from '../../lib/ids.ts';
import { createKeys } from '../../lib/keys.ts';
import type { Algorithm } from '../../lib/rate-limiter/limit-rules.ts';
import type { SessionIdentity, SessionObjectBytes } from '../../lib/sessions/spillover/session-object.ts';
import type { CacheSettingsResponse } from '../../lib/tenants/cache-contract.ts';
import type { TenantResponse } from '../../lib/tenants/contract.ts';
import type { SessionSettingsResponse } from '../../lib/tenants/session-contract.ts';

interface GoldenEntry {
  readonly key: string;
  readonly codec: EntryCodec;
  readonly value_base64: string;
  readonly meta: EntryMeta;
}

interface StoredFormats {
  readonly tenant: TenantResponse & { readonly id: TenantId };
  readonly apiKey: string;
  readonly revokedKey: string;
  readonly entries: readonly GoldenEntry[];
  /** Cache entries of the second format. */
  readonly cacheEntries: readonly (Omit<GoldenEntry, 'key'> & { readonly stored: string })[];
  /** An entry of the second format whose value is in S3. */
  readonly stub: { readonly meta: EntryMeta; readonly blob: BlobRef; readonly stored: string };
  /** In a gate, and beside it by seq, after two namespaces and two tags were invalidated; `all`: field `v` once all was, too. */
  readonly invalidations: {
    readonly gate: Readonly<Record<string, string>>;
    readonly invalidated: Readonly<Record<string, string>>;
    readonly all: string;
  };
  /** Field `m` of a gate, of the third format. */
  readonly counters: string;
  /** Of the fourth: with sessions. */
  readonly sessionCounters: string;
  /** Of the fifth: with what is kept, and the feed of changes. */
  readonly feedCounters: string;
  readonly idempotentCall: {
    readonly caller: string;
    readonly idempotencyKey: string;
    readonly route: string;
    readonly body: string;
    readonly result: { readonly status: number; readonly data: object; readonly headers: Record<string, string> };
  };
  /** A tenant's settings of its cache, in its record and, as instances get them, in its context. */
  readonly cacheSettings: { readonly settings: CacheSettingsResponse; readonly context: string };
  /** The same of its sessions; the context has those of the cache, too. */
  readonly sessionSettings: { readonly settings: SessionSettingsResponse; readonly context: string };
  /** States of limits, used in part, of a time to come: they do not end. */
  readonly limits: readonly {
    readonly algorithm: Algorithm;
    readonly limit: number;
    readonly window_ms: number;
    readonly used: number;
    readonly stored: string;
  }[];
  /** An idempotent call of a tenant, done, whose reply is bytes. */
  readonly tenantCall: {
    readonly caller: string;
    readonly idempotencyKey: string;
    readonly route: string;
    readonly body: string;
    readonly route_name: string;
    /** Namespace and key of its record. */
    readonly name: string;
    readonly bytes_base64: string;
    readonly stored: string;
  };
  /** Field `b` of a gate, and the pool of all tenants' session memory. */
  readonly sessionBudget: { readonly share: string; readonly pool: Readonly<Record<string, string>> };
  /** Field `sp` of a gate, and what a pass sums up of all tenants. */
  readonly spillover: { readonly moves: string; readonly sum: string };
  /** Of three entries, in one frame. */
  readonly export: { readonly object_base64: string; readonly manifest: string };
  /** The object of a session in S3, what its stub says of it, and the fields it has. */
  readonly sessionObject: {
    readonly object_base64: string;
    readonly expected: SessionIdentity & SessionObjectBytes;
    readonly fields: Readonly<Record<string, string>>;
  };
  /** What says that a restore has switched a tenant over. */
  readonly switchMark: string;
  /** What verifying a checkpoint has found. */
  readonly checkpointVerdict: string;
  /** A checkpoint of the tenant with its data objects by name, some of them sealed under the key, and the parts it was made of. */
  readonly checkpoint: {
    readonly key_base64: string;
    readonly objects: Readonly<Record<string, string>>;
    readonly manifest_base64: string;
    readonly manifest: CheckpointManifest;
    readonly parts: readonly string[];
  };
  /** Entries as they were pushed, the same sealed, and the head behind them. */
  readonly audit: { readonly pending: readonly string[]; readonly sealed: readonly string[]; readonly head: string };
  /** Which version of the configuration is active, as Redis and as S3 have it; and a version. */
  readonly config: { readonly active: string; readonly stored: string; readonly version: string };
  /** By Redis type, then by key. */
  readonly strings: Readonly<Record<string, string>>;
  readonly hashes: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly sortedSets: Readonly<Record<string, readonly string[]>>;
}

const file = new URL('../fixtures/stored-formats.json', import.meta.url);

export const golden = JSON.parse(readFileSync(file, 'utf8')) as StoredFormats;

/** Of the samples: all of them were stored under this prefix. */
export const GOLDEN_PREFIX = 'golden';
export const goldenKeys = createKeys(`${GOLDEN_PREFIX}:v1:`);

/** The text of a sample entry, as Redis gives it. */
export const goldenText = (key: string): string =>
  golden.strings[goldenKeys.cacheEntry(golden.tenant.id, 1, { namespace: 'ns', key })] ?? '';

/** The tenant's gate, field by field. */
export const goldenGate: Readonly<Record<string, string>> = golden.hashes[goldenKeys.gate(golden.tenant.id)] ?? {};
