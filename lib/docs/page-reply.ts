import { createHash } from 'node:crypto';
import type { Result } from '../http/result.ts';
import { DOCS_CACHE_CONTROL } from './openapi-reply.ts';
import { docsPage } from './page.ts';
import { PAGE_STYLE } from './page-style.ts';

let body: Buffer | undefined;

/** The page as a reply; made on the first call. Its own style may run, by its hash, and nothing else. */
export function pageReply(): Result {
  body ??= Buffer.from(docsPage());
  const style = createHash('sha256').update(PAGE_STYLE).digest('base64');
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': `default-src 'none'; style-src 'sha256-${style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      'cache-control': DOCS_CACHE_CONTROL,
    },
    bytes: body,
  };
}
