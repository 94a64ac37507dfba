/** JSON Schemas of what contracts name: each exported object schema is a component under the name of its constant. */
import * as z from 'zod';
import * as account from '../account/contract.ts';
import * as alerts from '../alerts/contract.ts';
import * as audit from '../audit/contract.ts';
import * as billing from '../billing/contract.ts';
import * as cacheBatch from '../cache/batch/batch-contract.ts';
import * as cacheChange from '../cache/change-contract.ts';
import * as cache from '../cache/contract.ts';
import * as cacheDelete from '../cache/delete-contract.ts';
import * as cacheExport from '../cache/exports/export-contract.ts';
import * as cacheInvalidate from '../cache/invalidation/invalidate-contract.ts';
import * as cacheList from '../cache/list-contract.ts';
import * as cachePut from '../cache/put-contract.ts';
import * as cacheStats from '../cache/stats/stats-contract.ts';
import * as cacheWarm from '../cache/warming/warm-contract.ts';
import * as checkpoints from '../checkpoints/http/checkpoint-contract.ts';
import * as restores from '../checkpoints/http/restore-contract.ts';
import * as docs from '../docs/contract.ts';
import * as problem from '../docs/problem.ts';
import * as erasure from '../erasure/contract.ts';
import * as health from '../health/contract.ts';
import * as jobs from '../jobs/contract.ts';
import * as quotas from '../quotas/contract.ts';
import * as rateLimiter from '../rate-limiter/contract.ts';
import * as runtimeConfig from '../runtime-config/contract.ts';
import * as sessionCreate from '../sessions/http/create-contract.ts';
import * as sessionData from '../sessions/http/data-contract.ts';
import * as sessionEnd from '../sessions/http/end-contract.ts';
import * as sessionList from '../sessions/http/list-contract.ts';
import * as sessionPrefetch from '../sessions/http/prefetch-contract.ts';
import * as sessionRenew from '../sessions/http/renew-contract.ts';
import * as sessions from '../sessions/http/session-fields.ts';
import * as spillover from '../sessions/http/spillover-contract.ts';
import * as access from '../tenants/access-contract.ts';
import * as tenantCache from '../tenants/cache-contract.ts';
import * as tenants from '../tenants/contract.ts';
import * as tenantKeys from '../tenants/key-contract.ts';
import * as tenantPolicies from '../tenants/policy-contract.ts';
import * as quotaRequests from '../tenants/quota-request-contract.ts';
import * as tenantSessions from '../tenants/session-contract.ts';
import * as tenantUpdates from '../tenants/update-contract.ts';
import * as usage from '../usage/contract.ts';
import { TenantIdField } from './fields.ts';
import type { JsonSchema, Reference } from './openapi-types.ts';

const MODULES: readonly object[] = [
  account,
  alerts,
  audit,
  billing,
  cache,
  cacheDelete,
  cacheInvalidate,
  cacheBatch,
  cacheChange,
  cacheList,
  cachePut,
  cacheExport,
  cacheStats,
  cacheWarm,
  checkpoints,
  restores,
  docs,
  erasure,
  health,
  jobs,
  problem,
  quotas,
  rateLimiter,
  runtimeConfig,
  sessions,
  sessionCreate,
  sessionData,
  sessionEnd,
  sessionList,
  sessionPrefetch,
  sessionRenew,
  spillover,
  access,
  tenantCache,
  tenants,
  tenantKeys,
  tenantPolicies,
  tenantSessions,
  quotaRequests,
  tenantUpdates,
  usage,
];

/** What travels which way: a request is described as it is sent, a reply as it is received. */
export type Direction = 'input' | 'output';

const uriOf = (name: string) => `#/components/schemas/${name}`;

/** Every component: name -> its zod schema, by name. Path, query and header objects are not components. */
export function componentSchemas(): ReadonlyMap<string, z.ZodType> {
  const named = MODULES.flatMap((module) => Object.entries(module)).filter(
    (entry): entry is [string, z.ZodType] =>
      entry[1] instanceof z.ZodObject && !/(?:Params|Query|Headers)$/.test(entry[0]),
  );
  return new Map(named.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** All components as JSON Schema. @throws {Error} a reply's schema changes what it is given: that cannot be described. */
export function describeComponents(): Readonly<Record<string, JsonSchema>> {
  const registry = z.registry<{ id: string }>();
  const components = componentSchemas();
  for (const [name, schema] of components) registry.add(schema, { id: name });
  const asSent = z.toJSONSchema(registry, { ...options('input'), uri: uriOf }).schemas;
  const asReceived = z.toJSONSchema(registry, { ...options('output'), uri: uriOf }).schemas;
  return Object.fromEntries(
    [...components.keys()].map((name) => {
      const schema = (name.endsWith('Request') ? asSent : asReceived)[name];
      // Both would change what a reference inside the schema means.
      const { $id, $schema, ...rest } = schema as JsonSchema;
      return [name, rest];
    }),
  );
}

/** A reference when it is a component, else the schema itself. */
export function describeSchema(schema: z.ZodType, direction: Direction): JsonSchema | Reference {
  for (const [name, component] of componentSchemas()) if (component === schema) return { $ref: uriOf(name) };
  const { $schema, ...rest } = z.toJSONSchema(schema, options(direction)) as JsonSchema;
  return rest;
}

function options(io: Direction) {
  const override = ({
    zodSchema,
    jsonSchema,
  }: {
    zodSchema: z.core.$ZodTypes;
    jsonSchema: z.core.JSONSchema.BaseSchema;
  }) => {
    const { def } = zodSchema._zod;
    // A reply may get more fields: readers of today must not refuse those of tomorrow.
    if (io === 'output' && def.type === 'object' && def.catchall === undefined) delete jsonSchema.additionalProperties;
    // The type's brand is TypeScript's alone.
    if (io === 'output' && (zodSchema as unknown) === TenantIdField) {
      Object.assign(jsonSchema, z.toJSONSchema(TenantIdField, { io: 'input' }), { $schema: undefined });
      delete jsonSchema.$schema;
    }
    // The pattern says what the format says, in 300 characters more.
    if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
  };
  return { io, override, unrepresentable: 'any' as const };
}
