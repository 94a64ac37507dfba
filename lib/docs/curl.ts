/** A line for the shell that calls an endpoint, from its example. */
import type { Contract } from '../http/contract.ts';
import { exampleOf } from './examples.ts';

/** `$RIPTIDE`, `$ADMIN_KEY` and `$TENANT_KEY` stand for the service's address and the keys. */
export function curlExample(contract: Contract): string {
  const { params = {}, query = {}, headers = {}, body } = exampleOf(contract.name);
  const path = contract.path.replace(/\{(\w+)\+?\}/g, (_all, name: string) => params[name] ?? '');
  const search = new URLSearchParams(query).toString();
  const sent = contract.body !== undefined && contract.body !== 'bytes' ? { 'content-type': 'application/json' } : {};
  return [
    `curl ${flagOf(contract.method)}"$RIPTIDE${path}${search === '' ? '' : `?${search}`}"`,
    ...keyLine(contract),
    ...Object.entries({ ...sent, ...headers }).map(([name, value]) => `-H ${quote(`${titleCase(name)}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quote(JSON.stringify(body))}`]),
  ].join(' \\\n  ');
}

function flagOf(method: Contract['method']): string {
  if (method === 'GET') return '-i ';
  return method === 'HEAD' ? '-I ' : `-i -X ${method} `;
}

function keyLine({ guard }: Contract): readonly string[] {
  if (guard.kind === 'open') return [];
  return [`-H "Authorization: Bearer ${guard.kind === 'admin' ? '$ADMIN_KEY' : '$TENANT_KEY'}"`];
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const titleCase = (name: string) => name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
