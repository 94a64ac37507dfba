import { openApiDocument } from '../http/openapi.ts';
import type { Result } from '../http/result.ts';

/** It changes with a deployment only. */
export const DOCS_CACHE_CONTROL = 'public, max-age=300';

let body: Buffer | undefined;

/** The OpenAPI document as a reply; made on the first call. */
export function openApiReply(): Result {
  body ??= Buffer.from(JSON.stringify(openApiDocument()));
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': DOCS_CACHE_CONTROL },
    bytes: body,
  };
}
