/** The page of the documentation: made from the contracts, whole in itself, readable without scripts. */
import type { Contract } from '../http/contract.ts';
import { allContracts } from '../http/contracts.ts';
import { html, type Markup, prose, trusted } from './html.ts';
import { endpointArticle, methodLabel } from './page-endpoint.ts';
import { PAGE_STYLE } from './page-style.ts';
import { TAGS, type Tag, tagOf } from './tags.ts';

const START = `export RIPTIDE=https://…
export ADMIN_KEY=…            # of the deployment
export TENANT_KEY=rt_tenant-… # from POST /admin/tenants/{id}/keys`;

/** What makes a thing comes before what reads it, and that before what removes it. */
const METHODS: readonly Contract['method'][] = ['POST', 'PUT', 'PATCH', 'GET', 'HEAD', 'DELETE'];

/** The whole page, as HTML. */
export function docsPage(): string {
  const contracts: readonly Contract[] = allContracts;
  const sorted = [...contracts].sort((a, b) => METHODS.indexOf(a.method) - METHODS.indexOf(b.method));
  const chapters = TAGS.map((tag) => ({ tag, endpoints: sorted.filter(({ path }) => tagOf(path) === tag) }));
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Riptide API</title>
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>
<div class="frame">
<nav aria-label="Endpoints"><a class="name" href="#top">Riptide</a>${chapters.map(navSection)}</nav>
<main id="top">
${introduction()}
${chapters.map(chapterSection)}
</main>
</div>
</body>
</html>
`.markup;
}

interface Chapter {
  readonly tag: Tag;
  readonly endpoints: readonly Contract[];
}

const navSection = ({ tag, endpoints }: Chapter): Markup =>
  html`<section><strong>${tag.name}</strong>${endpoints.map(
    ({ name, method, summary }) => html`<a href="#${name}">${methodLabel(method)} ${prose(summary)}</a>`,
  )}</section>`;

const chapterSection = ({ tag, endpoints }: Chapter): Markup =>
  html`<section><h2>${tag.name}</h2><p>${tag.description}</p>${endpoints.map(endpointArticle)}</section>`;

function introduction(): Markup {
  const facts = [
    'Keys go as `Authorization: Bearer <key>`: the admin key below `/admin`, a key of a tenant for the rest.',
    'JSON is snake_case. Times are ISO 8601 in UTC; names say their units: `_bytes`, `_ms`, `_seconds`.',
    'Every refusal and fault is a problem (RFC 9457), `application/problem+json`. Its `code` never changes; its texts may.',
    '`RateLimit` says what is left, `Retry-After` when to come back. `Idempotency-Key` makes a POST safe to repeat for 24 hours. `traceparent` is given back.',
    'For programs: `/openapi.json`, OpenAPI 3.1.',
  ];
  return html`<h1>Riptide API</h1>
<p class="lead">Persistence for many tenants, over HTTP.</p>
<ul>${facts.map((fact) => html`<li>${prose(fact)}</li>`)}</ul>
<pre><code>${START}</code></pre>`;
}
