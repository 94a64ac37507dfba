import { createHash } from 'node:crypto';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { luaAsText, nativeAddon } from '../../infra/build/esbuild-plugins.ts';
import { curlExample } from '../../lib/docs/curl.ts';
import { fieldRows, typeText } from '../../lib/docs/field-rows.ts';
import { html, prose } from '../../lib/docs/html.ts';
import { docsPage } from '../../lib/docs/page.ts';
import { pageReply } from '../../lib/docs/page-reply.ts';
import { problemCodesOf } from '../../lib/docs/route-problems.ts';
import { TAGS, tagOf } from '../../lib/docs/tags.ts';
import type { Contract } from '../../lib/http/contract.ts';
import { allContracts } from '../../lib/http/contracts.ts';
import type { JsonSchema } from '../../lib/http/openapi-types.ts';

const contracts: readonly Contract[] = allContracts;
const page = docsPage();

describe('the documentation page [A15]', () => {
  it.each(contracts)('tells of $name: its path, its problems, how to call it', (contract) => {
    const article = new RegExp(`<article id="${contract.name}">.*?</article>`, 's').exec(page)?.[0] ?? '';
    expect(article).toContain(`>${contract.path}</a>`);
    expect(article).toContain(html`${curlExample(contract)}`.markup);
    for (const code of problemCodesOf(contract)) expect(article).toContain(`<code>${code}</code>`);
    expect(page).toContain(`href="#${contract.name}"`);
  });

  it('is whole in itself: no script, no address of anywhere', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|\ssrc=|\sstyle=|\son\w+=|url\(|@import/i);
    expect([...page.matchAll(/href="([^"]*)"/g)].every(([, href]) => href?.startsWith('#'))).toBe(true);
  });

  it('lets its own style run by its hash, and nothing else', () => {
    const { headers, bytes } = pageReply();
    const style = /<style>(.*?)<\/style>/s.exec(String(bytes))?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(headers?.['content-security-policy']).toContain(`default-src 'none'; style-src 'sha256-${hash}';`);
    expect(headers?.['content-type']).toBe('text/html; charset=utf-8');
  });

  it('lists the fields of every reply that is JSON, once, by its statuses', () => {
    const [, put = ''] = page.split('<article id="putEntry">');
    const [article = ''] = put.split('</article>');
    expect(article).toMatch(/Reply, JSON of 200 and 201<.*stored_bytes.*Reply, JSON of 202<.*upload_id/s);
    expect(article.match(/<code>stored_bytes<\/code>/g)).toHaveLength(1);
  });

  it('leaves no backtick where code is meant', () => {
    const text = page.replace(/<pre>.*?<\/pre>/gs, '').replace(/<style>.*?<\/style>/s, '');
    expect(text.match(/.{0,60}`[^`<\n]+`.{0,20}/)?.[0]).toBeUndefined();
  });

  it('has a chapter for every endpoint and an endpoint in every chapter', () => {
    expect(new Set(contracts.map(({ path }) => tagOf(path)))).toEqual(new Set(TAGS));
    expect(() => tagOf('/nowhere')).toThrow(RangeError);
  });
});

describe('the parts of the page [A15]', () => {
  it('escapes every text that goes into markup', () => {
    expect(html`<p title="${'"'}">${"<b>&'"}</p>${[html`<i>${1}</i>`]}`.markup).toBe(
      '<p title="&quot;">&lt;b&gt;&amp;&#39;</p><i>1</i>',
    );
    expect(prose('`a<b` & c').markup).toBe('<code>a&lt;b</code> &amp; c');
  });

  it('writes a shell line that quotes what a shell would read', () => {
    const contract = contracts.find(({ name }) => name === 'createTenant') as Contract;
    expect(curlExample(contract)).toContain(`curl -i -X POST "$RIPTIDE/admin/tenants"`);
    expect(curlExample(contract)).toMatch(/-d '\{"name":"Acme",.*\}'$/);
  });

  it('says a type in words', () => {
    expect(typeText({ type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER })).toBe('whole number ≥ 0');
    expect(typeText({ anyOf: [{ type: 'string', format: 'date-time' }, { type: 'null' }] })).toBe(
      'time, ISO 8601 in UTC or null',
    );
    expect(typeText({ type: ['string', 'number'] })).toBe('text or number');
    expect(typeText({ type: 'array', items: { enum: ['a', 'b'] } })).toBe('list of one of a, b');
    expect(typeText({})).toBe('any value');
  });

  it('lists the fields of inner objects under their own names', () => {
    const inner = { type: 'object', properties: { b: { type: 'boolean', default: true } } };
    const rows = fieldRows({ properties: { a: { $ref: 'x' } }, required: ['a'] }, (schema) =>
      schema.$ref ? inner : schema,
    );
    expect(rows).toEqual([
      { name: 'a', type: 'object', required: true, description: '' },
      { name: 'a.b', type: 'true or false', required: false, description: 'Default `true`.' },
    ]);
  });
});

describe('fields that are not in the object itself [A15]', () => {
  const inner = { type: 'object', properties: { b: { type: 'boolean' } }, required: ['b'] };
  const resolve = (schema: JsonSchema) => (schema.$ref ? inner : schema);

  it.each([
    ['a list', { type: 'array', items: { $ref: 'x' } }, 'list of object', 'a[].b'],
    ['one or null', { anyOf: [{ $ref: 'x' }, { type: 'null' }] }, 'object or null', 'a.b'],
    ['a map', { type: 'object', additionalProperties: { $ref: 'x' } }, 'object, any names: object', 'a.{name}.b'],
  ])('are listed: of %s', (_, a, type, name) => {
    expect(fieldRows({ properties: { a } }, resolve)).toEqual([
      { name: 'a', type, required: false, description: '' },
      { name, type: 'true or false', required: true, description: '' },
    ]);
  });

  it('leave nothing on the page that could be anything', () => {
    expect(page).not.toContain('any value');
    for (const field of ['items[].last_used_at', 'items[].deliveries[].duration_ms', 'lines[].amount_micros'])
      expect(page).toContain(`<code>${field}</code>`);
  });
});

describe('the generator stays out of the other functions [A15]', () => {
  it('is not in the bundle of a cache read, and is in that of the document', { timeout: 30_000 }, async () => {
    const inputsOf = async (entry: string) => {
      const result = await build({
        entryPoints: [entry],
        bundle: true,
        write: false,
        metafile: true,
        format: 'esm',
        splitting: true,
        outdir: '/nowhere',
        platform: 'node',
        plugins: [luaAsText, nativeAddon],
        logLevel: 'silent',
      });
      return Object.keys(result.metafile.inputs).filter((path) => /lib\/(http\/openapi|docs\/)/.test(path));
    };
    expect(await inputsOf('functions/cache/get-entry.ts')).toEqual([]);
    expect(await inputsOf('functions/docs/get-openapi.ts')).toContain('lib/http/openapi.ts');
  });
});
