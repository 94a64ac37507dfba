/** One endpoint on the page. */
import type { Contract } from '../http/contract.ts';
import { openApiDocument } from '../http/openapi.ts';
import { openApiPath } from '../http/openapi-operation.ts';
import type { JsonSchema, Operation, Parameter, Reference } from '../http/openapi-types.ts';
import { curlExample } from './curl.ts';
import { type FieldRow, fieldRows, typeText } from './field-rows.ts';
import { html, type Markup, nothing, prose } from './html.ts';
import { findProblemCode } from './problem-codes.ts';

export function endpointArticle(contract: Contract): Markup {
  const { method, name, path, summary } = contract;
  const operation = operationOf(contract);
  return html`<article id="${name}">
<h3>${methodLabel(method)}<a class="path" href="#${name}">${path}</a></h3>
<p class="about">${prose(summary)}. <span class="who">${prose(operation.description ?? '')}</span></p>
${parameterTable(operation)}
${bodyTable(contract, operation)}
${replyTable(contract, operation)}
<h4>Try it</h4>
<pre><code>${curlExample(contract)}</code></pre>
${problemList(operation)}
</article>
`;
}

export const methodLabel = (method: Contract['method']): Markup =>
  html`<span class="method ${method.toLowerCase()}">${method}</span>`;

function operationOf({ method, path }: Contract): Operation {
  const operation = openApiDocument().paths[openApiPath(path)]?.[method.toLowerCase()];
  if (operation === undefined) throw new RangeError(`No operation for ${method} ${path}`);
  return operation;
}

function resolve(schema: JsonSchema | Reference): JsonSchema {
  const name = typeof schema.$ref === 'string' ? schema.$ref.split('/').at(-1) : undefined;
  return name === undefined ? (schema as JsonSchema) : (openApiDocument().components.schemas[name] ?? {});
}

function parameterTable({ parameters = [] }: Operation): Markup {
  // Every endpoint takes traceparent: said once, above.
  const own = parameters.map(resolveParameter).filter(({ name }) => name !== 'traceparent');
  const rows = own.map(({ name, in: place, required, schema, description = '' }) =>
    fieldRow({ name, type: `${place}: ${typeText(schema)}`, required, description }, REQUIRED),
  );
  return rows.length === 0 ? nothing : html`<h4>Parameters</h4><table>${rows}</table>`;
}

function resolveParameter(parameter: Parameter | Reference): Parameter {
  if (!('$ref' in parameter)) return parameter;
  const shared = openApiDocument().components.parameters[parameter.$ref.split('/').at(-1) ?? ''];
  if (shared === undefined) throw new RangeError(`No parameter ${parameter.$ref}`);
  return shared;
}

function bodyTable({ body }: Contract, { requestBody }: Operation): Markup {
  if (body === undefined) return nothing;
  if (body === 'bytes') return html`<h4>Body</h4><p class="about">The value, byte for byte, with its Content-Type.</p>`;
  const schema = requestBody?.content['application/json']?.schema ?? {};
  return html`<h4>Body, JSON</h4>${fieldTable(schema, REQUIRED)}`;
}

/** What stands behind a name: in a request what must be given, in a reply what may be absent. */
type Mark = (row: FieldRow) => Markup;
const REQUIRED: Mark = ({ required }) => (required ? html`<span class="must">required</span>` : nothing);
const OPTIONAL: Mark = ({ required }) => (required ? nothing : html`<span class="who">optional</span>`);

const fieldTable = (schema: JsonSchema | Reference, mark: Mark) =>
  html`<table>${fieldRows(resolve(schema), resolve).map((row) => fieldRow(row, mark))}</table>`;

const fieldRow = (row: FieldRow, mark: Mark): Markup =>
  html`<tr><td><code>${row.name}</code> ${mark(row)}</td>
<td><span class="type">${row.type}</span>${row.description === '' ? nothing : html`<br>${prose(row.description)}`}</td></tr>`;

function replyTable({ replies }: Contract, { responses }: Operation): Markup {
  const rows = Object.entries(replies).map(([status, { description, headers = {} }]) => {
    const own = Object.entries(headers).map(([name, says]) => html`<br><code>${name}</code> ${prose(says)}`);
    return html`<tr><td class="status">${status}</td><td>${prose(description)}${own}</td></tr>`;
  });
  return html`<h4>Replies</h4><table class="by-status">${rows}</table>${replyFields(replies, responses)}`;
}

/** The fields of each reply that is JSON: once, where several are the same. */
function replyFields(replies: Contract['replies'], responses: Operation['responses']): readonly Markup[] {
  const statusesOf = new Map<string, string[]>();
  for (const status of Object.keys(replies)) {
    const schema = responses[status]?.content?.['application/json']?.schema;
    if (schema === undefined) continue;
    const text = JSON.stringify(schema);
    statusesOf.set(text, [...(statusesOf.get(text) ?? []), status]);
  }
  return [...statusesOf].map(([text, statuses]) => {
    const which = statusesOf.size === 1 ? '' : ` of ${statuses.join(' and ')}`;
    return html`<h4>Reply, JSON${which}</h4>${fieldTable(JSON.parse(text), OPTIONAL)}`;
  });
}

function problemList({ responses }: Operation): Markup {
  const codes = Object.values(responses).flatMap((reply) => reply['x-problem-codes'] ?? []);
  const rows = codes.map((code) => {
    const { status, meaning } = findProblemCode(code) ?? { status: 500, meaning: '' };
    return html`<tr><td class="status">${status}</td><td><code>${code}</code><br>${prose(meaning)}</td></tr>`;
  });
  return html`<details><summary>Problems (${codes.length})</summary><table class="by-status">${rows}</table></details>`;
}
