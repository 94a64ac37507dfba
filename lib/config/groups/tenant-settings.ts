import { defineSettings } from '../setting.ts';
import { bytes, choice, flag, integer, seconds } from '../value-types.ts';

/** Tenancy. */
export const tenantSettings = defineSettings({
  enabled: {
    type: flag(),
    default: 'true',
    aliases: ['ENABLE_MULTI_TENANCY', 'PERSISTENCE_MULTI_TENANCY'],
    hot: false,
    about: 'Many tenants share the deployment',
    awaits: 'single-tenant mode',
  },
  isolation_level: {
    type: choice('strong', 'shared'),
    default: 'strong',
    hot: true,
    about: 'Isolation of a tenant that names none',
  },
  enable_billing: { type: flag(), default: 'true', hot: true, about: 'Usage is priced and invoiced' },
  billing_interval_seconds: {
    type: seconds(1, 86_400),
    default: '60',
    hot: true,
    about: 'How often months that have ended are looked for; the schedule runs every minute, so less is a minute',
  },
  max_tenants: {
    type: integer(1, 1_000_000),
    default: '10000',
    hot: true,
    about: 'Tenants of the deployment, at most',
  },
  undo_window_seconds: {
    type: seconds(0, 31_536_000),
    default: '604800',
    hot: true,
    about: 'How long the deletion of a tenant can be undone',
  },
  enable_encryption: {
    type: flag(),
    default: 'true',
    hot: true,
    about: 'Encryption of a tenant that names neither',
  },
});

/** Quotas of a tenant that names none; below `tenant.default_quotas`. */
export const quotaSettings = defineSettings({
  memory_bytes: { type: bytes(0), default: '100MB', production: '500MB', hot: true, about: 'Hot bytes in Redis' },
  storage_bytes: { type: bytes(0), default: '1GB', production: '10GB', hot: true, about: 'Cold bytes in S3' },
  operations_per_minute: {
    type: integer(0, 1_000_000_000),
    default: '1000',
    production: '10000',
    hot: true,
    about: 'Operations in a minute',
  },
  data_transfer_bytes: {
    type: bytes(0),
    default: '10GB',
    production: '100GB',
    hot: true,
    about: 'Bytes in and out in a month',
  },
});
