/**
 * What an audit entry says: who did what to which tenant, and when. Never owner data, names, secrets or the text of
 * policies: names of changed fields, limits, plan and status, and digests (changes.ts).
 */
import { createHash } from 'node:crypto';
import { newUlid, type TenantId } from '../ids.ts';
import { canonicalJson, type JsonValue } from './canonical-json.ts';

/** Actions of administration; a name, once logged, keeps its meaning. */
export const AUDIT_ACTIONS = [
  'audit.resume',
  'audit.unreadable',
  'billing.adjust',
  'cache.export',
  'cache.invalidate',
  'cache.warm',
  'checkpoint.create',
  'checkpoint.restore',
  'config.activate',
  'encryption.rotate',
  'job.cancel',
  'key.create',
  'key.revoke',
  'key.rotate',
  'policies.set',
  'quota_request.approve',
  'quota_request.create',
  'quota_request.reject',
  'tenant.create',
  'tenant.delete',
  'tenant.erase',
  'tenant.resume',
  'tenant.suspend',
  'tenant.undelete',
  'tenant.update',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/** As the names of actions are written; a log may hold some this version does not know. */
export const ACTION = /^[a-z][a-z_]*(?:\.[a-z][a-z_]*)+$/;

export type AuditDetails = Readonly<Record<string, JsonValue>>;

/** Field names as they are stored and answered. */
export interface AuditEntry {
  /** A ULID: pushed again under the same id, an entry is the same entry. */
  readonly id: string;
  /** ISO 8601, UTC, of the instance that acted. The order of the log is that of its seq. */
  readonly at: string;
  readonly action: string;
  readonly tenant_id: string | null;
  readonly actor: string;
  /** Names the request in our log; null for what no request asked for. */
  readonly request_id: string | null;
  readonly details: AuditDetails;
}

export interface NewAuditEntry {
  readonly action: AuditAction;
  readonly tenantId: TenantId | null;
  /** {@link adminActor} or {@link SYSTEM_ACTOR}. */
  readonly actor: string;
  readonly requestId: string | null;
  readonly details?: AuditDetails;
  /** Unix ms. */
  readonly now: number;
  /** Default: a new one. Of an operation that may run twice: its operation id, so that it is logged once. */
  readonly id?: string;
}

/** An entry's details beyond this are replaced by their digest: an action is never refused for what would be logged. */
const MAX_DETAILS_BYTES = 2_048;

/** Of schedules. */
export const SYSTEM_ACTOR = 'system';

/** The admin key as an actor: tells keys apart, and gives none away. `keySha256`: hex, as in the configuration. */
export const adminActor = (keySha256: string): string => `admin:${keySha256.slice(0, 12).toLowerCase()}`;

/** @throws {RangeError} a number in `details` that JSON does not keep exactly. */
export function newAuditEntry({
  action,
  tenantId,
  actor,
  requestId,
  details = {},
  now,
  id,
}: NewAuditEntry): AuditEntry {
  return {
    id: id ?? newUlid(now),
    at: new Date(now).toISOString(),
    action,
    tenant_id: tenantId,
    actor,
    request_id: requestId,
    details: bounded(details),
  };
}

function bounded(details: AuditDetails): AuditDetails {
  const json = canonicalJson(details);
  return Buffer.byteLength(json) <= MAX_DETAILS_BYTES ? details : { too_large: true, digest: digestOf(details) };
}

/** `sha256:<hex>` of a value's canonical JSON: stands for what must not be logged. */
export const digestOf = (value: JsonValue): string => `sha256:${sha256(canonicalJson(value))}`;

/** Of the text's UTF-8; hex. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** As it is pushed to the pending entries. */
export const packEntry = (entry: AuditEntry): string => canonicalJson({ ...entry });

/** The entry, with fields this version may not know; null when it is none, or cannot be sealed. */
export function parseEntry(text: string): AuditEntry | null {
  try {
    const value: unknown = JSON.parse(text);
    if (!isEntry(value)) return null;
    canonicalJson({ ...value });
    return value;
  } catch {
    return null;
  }
}

/** Whether a value has an entry's fields. */
export function isEntry(value: unknown): value is AuditEntry {
  if (!isObject(value)) return false;
  const { id, at, action, tenant_id, actor, request_id, details } = value;
  const texts = [id, at, actor].every((text) => typeof text === 'string' && text !== '');
  const named = typeof action === 'string' && ACTION.test(action);
  return texts && named && isTextOrNull(tenant_id) && isTextOrNull(request_id) && isObject(details);
}

const isTextOrNull = (value: unknown) => value === null || typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
