/** What calls about the configuration and their answers may look like. */
import type { ContractName } from '../http/contracts.ts';
import { type Example, WRITTEN_AT } from './example.ts';

const CHANGE = { name: 'cache.default_ttl_seconds', from: '86400', to: '3600', hot: true };

const VERSION = {
  version: 7,
  created_at: WRITTEN_AT,
  author: 'admin:9f86d081884c',
  source: 'api',
  note: 'Shorter lifetimes',
  active: false,
  tenant_share: null,
  changes: [CHANGE],
};

const RELOADED = {
  changed: true,
  dry_run: false,
  version: 7,
  active: { version: 6, rev: 12 },
  canary: { version: 7, tenant_share: 0.1 },
  changes: [CHANGE],
  restart_required: [],
  ignored: [],
};

export const CONFIG_EXAMPLES = {
  reloadState: {
    body: { settings: { cache: { default_ttl_seconds: 3_600 } }, note: 'Shorter lifetimes', tenant_share: 0.1 },
    reply: RELOADED,
  },
  listConfigVersions: { query: { limit: '10' }, reply: { items: [VERSION], next_cursor: '7' } },
  getConfigVersion: {
    params: { version: '7' },
    reply: { ...VERSION, settings: { cache: { default_ttl_seconds: '3600' } }, diff_to_active: [CHANGE] },
  },
  activateConfigVersion: {
    params: { version: '7' },
    body: {},
    reply: { ...RELOADED, active: { version: 7, rev: 13 }, canary: null },
  },
  updateSpillover: {
    body: { threshold_ratio: 0.7, batch_size: 20 },
    reply: {
      ...RELOADED,
      active: { version: 8, rev: 14 },
      version: 8,
      canary: null,
      changes: [
        { name: 'spillover.threshold_ratio', from: '0.8', to: '0.7', hot: true },
        { name: 'spillover.batch_size', from: '10', to: '20', hot: true },
      ],
    },
  },
} satisfies Partial<Record<ContractName, Example>>;
