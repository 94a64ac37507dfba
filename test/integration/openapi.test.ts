import { Validator } from '@seriousme/openapi-schema-validator';
import type { Context } from 'aws-lambda';
import { beforeAll, describe, expect, it } from 'vitest';
import { handler as getOpenapi } from '../../functions/docs/get-openapi.ts';
import { handler as showDocs } from '../../functions/docs/show-docs.ts';
import { SECURITY_HEADERS } from '../../lib/http/reply.ts';
import { testEnv } from '../support/app.ts';
import { sampleEvent } from '../support/sample-event.ts';

// What middy asks of Lambda's context: how much time is left.
const context = { getRemainingTimeInMillis: () => 10_000 } as Context;

beforeAll(() => {
  Object.assign(process.env, testEnv('tcp'));
});

describe('the documentation is served by functions of their own [A15]', () => {
  it('GET /openapi.json gives a valid document, that may be kept for a while', async () => {
    const reply = await getOpenapi(sampleEvent('docs/get-openapi') as object, context);
    expect(reply.statusCode).toBe(200);
    expect(reply.headers).toMatchObject({
      ...SECURITY_HEADERS,
      'content-type': 'application/json',
      'cache-control': 'public, max-age=300',
    });
    const text = Buffer.from(reply.body, reply.isBase64Encoded ? 'base64' : 'utf8').toString('utf8');
    expect((await new Validator().validate(JSON.parse(text))).valid).toBe(true);
  });

  it('GET /docs gives a page whose policy replaces the one of stored values', async () => {
    const reply = await showDocs(sampleEvent('docs/show-docs') as object, context);
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8');
    expect(reply.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-[\w+/]{43}='/);
    expect(reply.headers['content-security-policy']).not.toContain('sandbox');
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.body).toMatch(/^<!doctype html>/);
  });

  it('gives the same bytes each time', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(() => getOpenapi(sampleEvent('docs/get-openapi') as object, context)),
    );
    expect(first?.body).toBe(second?.body);
  });
});
