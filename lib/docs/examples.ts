/** What a call and its answer may look like, by the contract's name. A test parses each with the schema it shows. */
import type { ContractName } from '../http/contracts.ts';
import { ACCOUNT_EXAMPLES } from './account-examples.ts';
import { CACHE_EXAMPLES } from './cache-examples.ts';
import { CONFIG_EXAMPLES } from './config-examples.ts';
import type { Example } from './example.ts';
import { JOB_EXAMPLES } from './job-examples.ts';
import { SESSION_EXAMPLES } from './session-examples.ts';
import { STATE_EXAMPLES } from './state-examples.ts';
import { TENANT_EXAMPLES } from './tenant-examples.ts';

const EXAMPLES: Readonly<Record<ContractName, Example>> = {
  ...TENANT_EXAMPLES,
  ...ACCOUNT_EXAMPLES,
  ...CACHE_EXAMPLES,
  ...SESSION_EXAMPLES,
  ...JOB_EXAMPLES,
  ...STATE_EXAMPLES,
  ...CONFIG_EXAMPLES,
  checkLive: { reply: { status: 'live' } },
  checkReady: { reply: { status: 'ready', components: { redis: 'up', s3: 'up' } } },
  getOpenapi: {},
  showDocs: {},
};

/** @returns empty for a contract that has none. */
export const exampleOf = (name: string): Example => (EXAMPLES as Readonly<Record<string, Example>>)[name] ?? {};
