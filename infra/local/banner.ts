/** What `npm start` says when all is up. */
import type { Stack } from './stack.ts';

/** How to reach it and what to do first. */
export function banner({ url, adminKey, dataDir }: Stack, startedInMs: number): string {
  return `
  Riptide runs at ${url}   (started in ${(startedInMs / 1000).toFixed(1)} s)

  Admin key   ${adminKey}
  API         ${url}/docs
  Data        ${dataDir}   (kept; npm start -- --fresh empties it)
  Try it      curl -X POST ${url}/admin/tenants \\
                -H 'authorization: Bearer ${adminKey}' -H 'content-type: application/json' \\
                -d '{"name":"first","owner":{"id":"me","name":"Me","email":"me@example.com"},"plan":"free"}'

  This is a development and evaluation stack: a real Redis, and loopback-only subsets of the Upstash, S3 and KMS APIs. For one
  machine in production, run the same host with Redis over TCP and a real S3 service on another disk or machine.
  Ctrl-C stops everything; a second one does not wait. With PERSISTENCE_LOG_LEVEL=info each refusal is logged.
`;
}
