/** The endpoints of the configuration at run time: what they take and give. */
import * as z from 'zod';
import { admin, defineContract } from '../http/contract.ts';
import { Count, DryRun, Instant, text } from '../http/fields.ts';
import { PageSize } from '../http/paging.ts';

const Raw = z.union([z.string(), z.array(z.string())]).describe('As it would be written in the file.');
const Note = text(500).optional().describe('Why; kept with the version.');
const TenantShare = z
  .number()
  .min(0)
  .max(1)
  .optional()
  .describe('Tried with this share of the tenants first, chosen by their ids; absent: active for everybody.');
/** `{ cache: { default_ttl_seconds: 60 } }` */
const Groups = z.record(z.string(), z.unknown());

export const ReloadRequest = z
  .strictObject({
    settings: Groups.optional().describe('Settings by group. null takes back what a version before has set.'),
    yaml: z.string().max(262_144).optional().describe('A whole persistence.yml instead: replaces all that was set so.'),
    note: Note,
    tenant_share: TenantShare,
  })
  .refine(({ settings, yaml }) => settings === undefined || yaml === undefined, 'settings or yaml, not both');
export type ReloadRequest = z.output<typeof ReloadRequest>;

const SettingChangeResponse = z.object({
  name: z.string(),
  from: Raw,
  to: Raw,
  hot: z.boolean().describe('Running instances take it within 5 seconds; false: each takes it with its next start.'),
});

const CanaryResponse = z.object({ version: Count, tenant_share: z.number() }).nullable();

export const ReloadResponse = z.object({
  changed: z.boolean().describe('False: nothing differs from what is active, and no version was made.'),
  dry_run: z.boolean(),
  version: Count.nullable().describe('The version that was made or activated; null: none.'),
  active: z.object({ version: Count, rev: Count }).describe('Version 0 is what the deployment started with.'),
  canary: CanaryResponse.describe('The version that is tried with some tenants.'),
  changes: z.array(SettingChangeResponse),
  restart_required: z
    .array(z.string())
    .describe('Settings that running instances do not take before their next start.'),
  ignored: z
    .array(z.string())
    .describe('Settings a file states that it cannot change: the deployment’s own, and those the environment sets.'),
});
export type ReloadResponse = z.output<typeof ReloadResponse>;

export const ConfigVersionResponse = z.object({
  version: Count,
  created_at: Instant.nullable().describe('null: of version 0, the deployment’s own.'),
  author: z.string(),
  source: z.enum(['file', 's3', 'api']),
  note: z.string().nullable(),
  active: z.boolean(),
  tenant_share: z.number().nullable().describe('Of one that is tried with some tenants.'),
  changes: z.array(SettingChangeResponse).describe('Against the version it was made from.'),
});
export type ConfigVersionResponse = z.output<typeof ConfigVersionResponse>;

export const OneConfigVersionResponse = ConfigVersionResponse.extend({
  settings: Groups.describe('All that it states beyond the deployment, by group.'),
  diff_to_active: z.array(SettingChangeResponse).describe('What activating it would change.'),
});

export type OneConfigVersionResponse = z.output<typeof OneConfigVersionResponse>;

export const ConfigVersionListResponse = z.object({
  items: z.array(ConfigVersionResponse),
  next_cursor: z.string().nullable(),
});
export type ConfigVersionListResponse = z.output<typeof ConfigVersionListResponse>;

const VersionNumber = z
  .string()
  .regex(/^(?:0|[1-9]\d{0,9})$/, 'must be the number of a version')
  .transform(Number);
const dryRun = z.strictObject({ dry_run: DryRun });
const outcome = { 200: { description: 'What has changed, or would', schema: ReloadResponse } };
const PROBLEMS = ['config_refused', 'config_canary_running', 'blob_store_unavailable'] as const;

export const reloadStateContract = defineContract({
  method: 'POST',
  path: '/admin/state/reload',
  name: 'reloadState',
  summary: 'Change the configuration of running instances; without a body: read its files again',
  guard: admin,
  query: dryRun,
  body: ReloadRequest,
  bodyMayBeAbsent: true,
  replies: outcome,
  problems: [...PROBLEMS],
});

export const listConfigVersionsContract = defineContract({
  method: 'GET',
  path: '/admin/config/versions',
  name: 'listConfigVersions',
  summary: 'List the versions of the configuration, newest first',
  guard: admin,
  query: z.strictObject({
    limit: PageSize.describe('Versions of a page; default and at most 100.'),
    cursor: VersionNumber.optional(),
  }),
  replies: {
    200: {
      description: 'A page of versions',
      schema: ConfigVersionListResponse,
    },
  },
  problems: ['blob_store_unavailable'],
});

export const getConfigVersionContract = defineContract({
  method: 'GET',
  path: '/admin/config/versions/{version}',
  name: 'getConfigVersion',
  summary: 'Read a version of the configuration, and how it differs from the active one',
  guard: admin,
  params: z.object({ version: VersionNumber }),
  replies: { 200: { description: 'The version', schema: OneConfigVersionResponse } },
  problems: ['config_version_not_found', 'blob_store_unavailable'],
});

export const ActivateConfigVersionRequest = z.strictObject({ tenant_share: TenantShare, note: Note });

export const activateConfigVersionContract = defineContract({
  method: 'POST',
  path: '/admin/config/versions/{version}/activate',
  name: 'activateConfigVersion',
  summary:
    'Activate a version: back to an earlier one, try one with some tenants, or promote it. 0 is the deployment’s own',
  guard: admin,
  params: z.object({ version: VersionNumber }),
  query: dryRun,
  body: ActivateConfigVersionRequest,
  bodyMayBeAbsent: true,
  replies: outcome,
  problems: ['config_version_not_found', 'config_refused', 'blob_store_unavailable'],
});

export const UpdateSpilloverRequest = z.strictObject({
  max_memory_bytes: Count.optional().describe('Of all tenants’ sessions together.'),
  threshold_ratio: z.number().optional(),
  interval_seconds: Count.optional(),
  batch_size: Count.optional(),
  storage_class: z.string().max(64).optional(),
  note: Note,
  tenant_share: TenantShare,
});

export const updateSpilloverContract = defineContract({
  method: 'POST',
  path: '/admin/spillover',
  name: 'updateSpillover',
  summary: 'Change when and how sessions are moved to S3; makes a version of the configuration',
  guard: admin,
  query: dryRun,
  body: UpdateSpilloverRequest,
  replies: outcome,
  problems: [...PROBLEMS],
});
