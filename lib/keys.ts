/**
 * Every Redis key of the service; nothing else builds one. Members of the index are made from an entry's key, in the scripts
 * that write them (redis/scripts/includes/record.lua), and read here.
 *
 * `{t:<id>}` is a Cluster hash tag: all keys of a tenant live in one slot, so one script may touch several of them.
 * It comes first, so braces in a caller's key cannot move it.
 */
import { type TenantId, ULID } from './ids.ts';

export type Keys = ReturnType<typeof createKeys>;

/** S3 object: shows at start whether the master key is the right one (crypto/master-key-check.ts). No tenant has this id. */
export const MASTER_KEY_CHECK = 'keys/check';

/** S3: the wrapped data keys of a tenant, JSON (lib/crypto/tenant-keys.ts); nowhere else. */
export const tenantKeysBlob = (id: TenantId): string => `keys/${id}`;

/**
 * The generation of states of limits and of idempotent calls, whatever generation the tenant's data is in: what was spent stays
 * spent when a restore puts another generation in the place of this one.
 */
export const KEPT_GENERATION = 0;

/** The longest cache key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1024;

/** @param prefix `<key_prefix>:<version>:`, as `riptide:v1:`. */
export function createKeys(prefix: string) {
  const tenant = (id: TenantId) => `${prefix}{t:${id}}`;
  const counted = (id: TenantId, generation: number, kind: RecordKind, { namespace, key }: EntryName) =>
    `${tenant(id)}:g${generation}:${kind}:${namespace}:${escapeControls(key)}`;
  const index = (id: TenantId, generation: number) => `${tenant(id)}:g${generation}:idx`;
  return {
    /** hash: status, limits, counters, API keys (see lib/gate/gate-fields.ts) */
    gate: (id: TenantId) => `${tenant(id)}:gate`,
    /** sorted set: open reservations, scored by when they are abandoned, Unix ms */
    holds: (id: TenantId) => `${tenant(id)}:holds`,
    /** sorted set: fields of the gate that hold epochs of invalidations not settled, by seq (includes/epochs.lua) */
    invalidated: (id: TenantId) => `${tenant(id)}:invalidated`,
    /** string: the tenant's record, JSON */
    record: (id: TenantId) => `${tenant(id)}:record`,
    /** hash: key id -> JSON of an API key, its secret hashed */
    apiKeys: (id: TenantId) => `${tenant(id)}:keys`,
    /** hash: what the tenant's invoices are made of */
    billing: (id: TenantId) => `${tenant(id)}:billing`,
    /** hash: request id -> JSON of a request for higher quotas */
    quotaRequests: (id: TenantId) => `${tenant(id)}:requests`,
    /** string: exists when the tenant was erased; its id is never used again */
    erased: (id: TenantId) => `${tenant(id)}:erased`,
    /** hash: quota alerts with their deliveries, and which were told (see lib/alerts/alert-format.ts) */
    alerts: (id: TenantId) => `${tenant(id)}:alerts`,
    /** sorted set, all scores 0: the one index of a generation of the tenant's data */
    index,
    /** sorted set, all scores 0: the index of what no generation takes away, {@link KEPT_GENERATION} */
    keptIndex: (id: TenantId) => index(id, KEPT_GENERATION),
    /** sorted set: generations of data besides the current one, scored by when they were retired, Unix ms; 0: it is being loaded */
    generations: (id: TenantId) => `${tenant(id)}:generations`,
    /** string with a TTL: the restore that switched the tenant over last, and what it loaded (restore/switch-mark.ts) */
    switchMark: (id: TenantId) => `${tenant(id)}:switched`,
    /** string: header and payload of a cache entry */
    cacheEntry: (id: TenantId, generation: number, name: EntryName) => counted(id, generation, 'c', name),
    /** string with a TTL: the token of who loads a cache entry */
    lease: (id: TenantId, generation: number, { namespace, key }: EntryName) =>
      `${tenant(id)}:g${generation}:lease:${namespace}:${escapeControls(key)}`,
    /** string: the state of a limit of the tenant's own users: namespace = its name, key = whom it counts */
    limit: (id: TenantId, name: EntryName) => counted(id, KEPT_GENERATION, 'l', name),
    /** string: a call with an `Idempotency-Key`: namespace = the route's name, key = a digest */
    tenantCall: (id: TenantId, name: EntryName) => counted(id, KEPT_GENERATION, 'i', name),
    /** string: any of these three, by the generation whose index lists it; of kind `s` a session, whose namespace is empty */
    counted,
    /** hash: a session; string: its stub, while its data is in S3 (lib/sessions/session-format.ts) */
    session: (id: TenantId, generation: number, ulid: string) =>
      counted(id, generation, 's', { namespace: '', key: ulid }),
    /** string with a TTL: the token of who moves a session between Redis and S3 */
    sessionClaim: (id: TenantId, generation: number, ulid: string) => `${tenant(id)}:g${generation}:claim:${ulid}`,
    /** sorted set: ULIDs of the sessions moved to S3 last, by when they were used, Unix ms */
    sessionsLately: (id: TenantId, generation: number) => `${tenant(id)}:g${generation}:lately`,
    /** sorted set: `<ULID>-<secret>` of terminated sessions, by the end of their absolute lifetime, Unix ms */
    deadSessions: (id: TenantId) => `${tenant(id)}:dead`,

    /** A record by the member of the generation's index that lists it: `k\0<kind>\0<namespace>\0<key, escaped>`; of a session `k\0s\0<user>\0<ULID>` */
    listedRecord: (id: TenantId, generation: number, member: string) => {
      const [, kind = '', namespace = '', ...key] = member.split('\0');
      return `${tenant(id)}:g${generation}:${kind}:${kind === 's' ? '' : namespace}:${key.join(':')}`;
    },
    /** What a tenant has in its slot besides its records, its own record, invoices and the receipt */
    slotOf: (id: TenantId): readonly string[] =>
      ['gate', 'holds', 'invalidated', 'keys', 'requests', 'alerts', 'dead', 'generations', 'switched'].map(
        (name) => `${tenant(id)}:${name}`,
      ),

    /** sorted set, all scores 0: ids of the tenants that exist */
    tenants: () => `${prefix}{sys}:tenants`,
    /** sorted set, all scores 0: the tenants by id, plan, status and both (redis/scripts/includes/list-tenant.lua) */
    tenantIndex: () => `${prefix}{sys}:tenants:idx`,
    /** hash: tenant id -> `<rev>\t<plan>\t<status>\t<search text>` */
    tenantSummary: () => `${prefix}{sys}:tenants:summary`,
    /** hash: tenant id -> `<Unix ms>,<audit entry>` of a creation under way */
    tenantReservations: () => `${prefix}{sys}:tenants:reserved`,
    /** sorted set: `<tenant id>,<alert id>` of webhooks to send, by Unix ms of the next attempt */
    alertsDue: () => `${prefix}{sys}:alerts:due`,
    /** hash: `<tenant id>,<resource>` -> Unix ms of the last refusal because of that quota */
    refusals: () => `${prefix}{sys}:refusals`,
    /** string: the last month whose invoices are closed, as 2026-11 */
    billingClosed: () => `${prefix}{sys}:billing:closed`,
    /** set: ids of the tenants whose invoices could not be closed with the others */
    billingBehind: () => `${prefix}{sys}:billing:behind`,
    /** string: exists until it is time to look for ended months again */
    billingLooked: () => `${prefix}{sys}:billing:looked`,
    /** string: the last receipt of an erasure whose tenant was looked for; empty: from the beginning */
    erasuresLooked: () => `${prefix}{sys}:erasures:looked`,
    /** string: statistics of all caches together, as a schedule summed them up (lib/cache/stats/stats-sum.ts) */
    cacheStats: () => `${prefix}{sys}:cache:stats`,
    /** hash: tenant id -> `<granted bytes>,<epoch>` of the memory of hot sessions; `total` -> bytes granted to all */
    sessionBudget: () => `${prefix}{sys}:sessions:budget`,
    /** sorted set: `<tenant id>,session-<ULID>` of sessions whose object in S3 is gone or damaged, by when, Unix ms */
    sessionQuarantine: () => `${prefix}{sys}:sessions:quarantine`,
    /** string with a TTL: exists while a pass moves sessions between Redis and S3 */
    spillPass: () => `${prefix}{sys}:sessions:pass`,
    /** string: the sessions of all tenants together, as a pass summed them up (lib/sessions/spillover/pass/spill-stats-format.ts) */
    spillStats: () => `${prefix}{sys}:sessions:stats`,
    /** string with a TTL: the job that writes a checkpoint, or restores one: one at a time */
    checkpointJob: () => `${prefix}{sys}:checkpoints:job`,
    /** set: tenants of which a restore loads a generation, or has left one that nobody loads any more */
    restoreLoads: () => `${prefix}{sys}:checkpoints:loading`,
    /** string: when the oldest checkpoint that is kept or written was begun, Unix ms: objects that were in use then are not deleted */
    checkpointsOldest: () => `${prefix}{sys}:checkpoints:oldest`,
    /** string: exists until it is time to look for what checkpoints left behind */
    checkpointsLooked: () => `${prefix}{sys}:checkpoints:looked`,
    /** string: exists until it is time to look for old exports again */
    exportsLooked: () => `${prefix}{sys}:exports:looked`,
    /** string: a job (see lib/jobs/job-format.ts) */
    job: (id: string) => `${prefix}{sys}:jobs:${id}`,
    /** sorted set: ids of jobs that wait or run, by Unix ms of when they may be claimed */
    jobsDue: () => `${prefix}{sys}:jobs:due`,
    /** sorted set: ids of jobs that have ended, by when, Unix ms */
    jobsEnded: () => `${prefix}{sys}:jobs:ended`,
    /** string with a TTL: a pass over the jobs has started the next one, and no other does */
    jobsTurn: () => `${prefix}{sys}:jobs:turn`,
    /** sorted set, all scores 0: the jobs by tenant, status and both (redis/scripts/includes/job.lua) */
    jobIndex: () => `${prefix}{sys}:jobs:idx`,
    /** hash: an idempotent call's state and reply */
    idempotency: (digest: string) => `${prefix}{sys}:idem:${digest}`,
    /** string: which version of the configuration is active (lib/runtime-config/active-format.ts) */
    configActive: () => `${prefix}{sys}:config:active`,
    /** hash: version -> JSON of the versions in use */
    configVersions: () => `${prefix}{sys}:config:versions`,
    /** list: audit entries not yet sealed, JSON, oldest first */
    auditPending: () => `${prefix}{sys}:audit:pending`,
    /** sorted set: ids of the last 10,000 audit entries pushed, by Unix ms */
    auditSeen: () => `${prefix}{sys}:audit:seen`,
    /** sorted set: sealed audit entries, JSON, by seq; the oldest of many are in S3 */
    auditLog: () => `${prefix}{sys}:audit`,
    /** string: `a1,<seq>,<hash>` of the last sealed audit entry */
    auditHead: () => `${prefix}{sys}:audit:head`,
  } as const;
}

/** S3: the manifests of checkpoints; there is nothing else under it. */
export const CHECKPOINTS = 'checkpoints/';
export const checkpointBlob = (id: string): string => `${CHECKPOINTS}${id}.ckpt`;

/** S3: what checkpoints have of tenants: objects that several of them may name. */
export const CHECKPOINT_DATA = 'checkpoint-data/';
export const checkpointDataPrefix = (id: TenantId): string => `${CHECKPOINT_DATA}${id}/`;
export const checkpointDataBlob = (id: TenantId, name: string): string => `${checkpointDataPrefix(id)}${name}.ckpt`;

/** S3: what the steps of a checkpoint that is written have come to. */
export const CHECKPOINT_PARTS = 'checkpoint-parts/';
export const checkpointPartPrefix = (id: string): string => `${CHECKPOINT_PARTS}${id}/`;
export const checkpointPartBlob = (id: string, name: string): string => `${checkpointPartPrefix(id)}${name}.ndjson`;

/** S3: whether a checkpoint was found sound when all of it was read last. */
export const CHECKPOINT_VERDICTS = 'checkpoint-verdicts/';
export const checkpointVerdictBlob = (id: string): string => `${CHECKPOINT_VERDICTS}${id}.json`;

/** S3: what the last restore drill came to, JSON. */
export const RESTORE_DRILL = 'restore-drill';

/** S3: whose bucket this is, JSON; written once. */
export const DEPLOYMENT = 'deployment';

/** S3: what else belongs to a tenant; all of it goes when the tenant is erased. */
export const tenantBlobPrefixes = (id: TenantId): readonly string[] => [
  checkpointDataPrefix(id),
  sessionBlobPrefix(id),
  `cache/${id}/`,
  exportPrefix(id),
  revocationPrefix(id),
];

/** S3: the packed value of a cache entry, or an upload that is to become one. */
export const cacheBlob = (id: TenantId, ulid: string): string => `cache/${id}/${ulid}`;

/** S3: a session that was moved there, under a name of its own each time: `sessions/spillover/<tenant>/<object>/session-<ULID>.session`. */
export const sessionBlob = (id: TenantId, objectUlid: string, sessionUlid: string): string =>
  `${sessionBlobPrefix(id)}${objectUlid}/session-${sessionUlid}.session`;
export const sessionBlobPrefix = (id: TenantId): string => `sessions/spillover/${id}/`;

/** S3: exports of cache entries, and reports of loading them; each job has a folder. They go 7 days after they were made. */
export const EXPORTS = 'exports/';
export const exportPrefix = (id: TenantId): string => `${EXPORTS}${id}/`;

/** S3: a revoked API key; its tenant's go when the tenant is erased, for then there is no key to come back. */
export const revocationPrefix = (id: TenantId): string => `log/revoked/${id}/`;
export const revocationBlob = (id: TenantId, keyId: string): string => `${revocationPrefix(id)}${keyId}.json`;

/** S3: an erasure that has begun, and the receipt of one that is done. They are never removed. */
export const erasureLogBlob = (id: TenantId): string => `log/erasures/${id}.json`;
export const ERASURE_RECEIPTS = 'log/receipts/';
export const erasureReceiptBlob = (id: TenantId): string => `${ERASURE_RECEIPTS}${id}.json`;

/** S3: versions of the configuration, by number, never written again; which one is active; and the file that makes new ones. */
export const CONFIG_VERSIONS = 'config/versions/';
export const configVersionBlob = (version: number): string =>
  `${CONFIG_VERSIONS}${String(version).padStart(10, '0')}.json`;
export const CONFIG_ACTIVE = 'config/active.json';
export const CONFIG_FILE = 'config/persistence.yml';

/** Of S3: the audit log's archived blocks. */
export const AUDIT_BLOCKS = 'audit/';

/** Of S3: `audit/<first>-<last>.ndjson`. 12 digits each, so that blocks list in their order. */
export const auditBlockKey = (first: number, entries: number): string => {
  const digits = (seq: number) => String(seq).padStart(12, '0');
  return `${AUDIT_BLOCKS}${digits(first)}-${digits(first + entries - 1)}.ndjson`;
};

/** Records that are charged to a tenant's memory: a cache entry, the state of a limit, an idempotent call, a session. */
export type RecordKind = 'c' | 'l' | 'i' | 's';

export interface EntryName {
  readonly namespace: string;
  readonly key: string;
}

/** Control characters and `%` as `%XX`: an index member's parts are separated by NUL, and keys stay printable. */
export const escapeControls = (key: string) => (CONTROL.test(key) ? key.replace(CONTROLS, toHex) : key);
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\x00-\x1f\x7f%]/;
const CONTROLS = new RegExp(CONTROL, 'g');
const toHex = (char: string) => `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** Undoes what {@link createKeys} does to a caller's key. */
export const unescapeControls = (text: string) =>
  text.replace(/%([0-9a-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** The member of the index that lists a cache entry. */
export const entryListing = ({ namespace, key }: EntryName): string => `k\0c\0${namespace}\0${escapeControls(key)}`;

/** The entry that a member `k\0c\0<namespace>\0<key, escaped>` of the index lists. */
export function parseListing(member: string): EntryName {
  const [, , namespace = '', ...key] = member.split('\0');
  return { namespace, key: unescapeControls(key.join('\0')) };
}

/**
 * S3: what a member `d\0<when, 14 digits>\0<name>` of the index dooms: a cache entry's object by its ULID, a session's by
 * `<its own>.<the session's>`. Null: it is none.
 */
export function doomedBlob(id: TenantId, member: string): string | null {
  const [, object, session] = DOOMED.exec(member) ?? [];
  if (object === undefined) return null;
  return session === undefined ? cacheBlob(id, object) : sessionBlob(id, object, session);
}
const DOOMED = new RegExp(`^d\\0\\d{14}\\0(${ULID})(?:\\.(${ULID}))?$`);

/** What an expiry member of the index names. */
export interface ExpiryMember {
  readonly expiresAtMs: number;
  readonly kind: RecordKind;
  readonly name: EntryName;
}

/**
 * Reads `e\0<expiry, 14 digits>\0<kind>\0<namespace>\0<key, escaped>`. Scripts make the members from the record's key:
 * redis/scripts/includes/record.lua.
 * @throws {RangeError} it is none.
 */
export function parseExpiryMember(member: string): ExpiryMember {
  const [tag, at, kind = '', namespace, ...key] = member.split('\0');
  if (tag !== 'e' || at === undefined || !isRecordKind(kind) || namespace === undefined || key.length === 0) {
    throw new RangeError('Not an expiry member');
  }
  return { expiresAtMs: Number(at), kind, name: { namespace, key: unescapeControls(key.join('\0')) } };
}

const isRecordKind = (text: string): text is RecordKind => text === 'c' || text === 'l' || text === 'i' || text === 's';
