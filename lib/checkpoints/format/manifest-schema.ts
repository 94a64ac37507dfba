/** What stands in the manifest of a checkpoint, line by line. Sizes are bytes; a field more or less is refused. */
import * as z from 'zod';
import { CHECKPOINT_ID, TENANT_ID, type TenantId } from '../../ids.ts';
import { Amount, CheckpointObject, Ulid } from './checkpoint-object.ts';
import { InvalidationEpochs } from './invalidation-epochs.ts';

export const MANIFEST_FORMAT = 'ck1';

export const CheckpointType = z.enum(['manual', 'scheduled', 'shutdown', 'safety']);
export type CheckpointType = z.infer<typeof CheckpointType>;

/** Records, of the runs merged. */
export const RecordCounts = z.strictObject({ cache: Amount, session: Amount }).readonly();
export type RecordCounts = z.infer<typeof RecordCounts>;

/** What was written at once: all records of a tenant, or what changed since the run before. */
export const CheckpointRun = z
  .strictObject({
    /** Unix ms. */
    started_at_ms: Amount,
    /** Then. */
    epochs: InvalidationEpochs,
    /** None: there was nothing. */
    objects: z.array(CheckpointObject).readonly(),
  })
  .readonly();
export type CheckpointRun = z.infer<typeof CheckpointRun>;

const Tenant = z.custom<TenantId>((value) => typeof value === 'string' && TENANT_ID.test(value));

/** A tenant, as it was. */
export const CheckpointTenant = z
  .strictObject({
    tenant: Tenant,
    /** Of its records. */
    generation: Amount,
    /** Of its change feed when the newest run began: what changed later has a later one. */
    epoch: Amount,
    /** Of its last write by then. */
    seq: Amount,
    /** Field `m` of its gate. */
    counters: z.string(),
    /** What administration knows of it: state-object.ts. */
    state: CheckpointObject.nullable(),
    /** Digest of what it says: while it stays, so does the object. */
    state_of: z.string(),
    counts: RecordCounts,
    /** Of all its objects. */
    bytes: Amount,
    /** The first is the base. */
    runs: z.array(CheckpointRun).min(1).readonly(),
  })
  .readonly();
export type CheckpointTenant = z.infer<typeof CheckpointTenant>;

const CheckpointId = z.string().regex(CHECKPOINT_ID);

/** The first line. */
export const CheckpointHeader = z
  .strictObject({
    format: z.literal(MANIFEST_FORMAT),
    id: CheckpointId,
    type: CheckpointType,
    description: z.string().nullable(),
    /** Whose bucket it is. */
    deployment: Ulid,
    started_at: z.iso.datetime(),
    finished_at: z.iso.datetime(),
    /** The checkpoint whose runs it took over; null: all is new. */
    base: CheckpointId.nullable(),
    /** Whether entries of the cache are in it. */
    cache: z.boolean(),
    config_version: Amount.nullable(),
    tenants: Amount,
    counts: RecordCounts,
    /** Of all objects it names. */
    bytes: Amount,
    /** Of those written for it. */
    new_bytes: Amount,
    /** Of the lines in all objects it names. */
    raw_bytes: Amount,
  })
  .readonly();
export type CheckpointHeader = z.infer<typeof CheckpointHeader>;

/** What the header says that does not follow from the tenants. */
export type CheckpointFacts = Omit<CheckpointHeader, 'format' | 'tenants' | 'counts' | 'bytes' | 'raw_bytes'>;

export interface CheckpointManifest {
  readonly header: CheckpointHeader;
  /** By id. */
  readonly tenants: readonly CheckpointTenant[];
}
