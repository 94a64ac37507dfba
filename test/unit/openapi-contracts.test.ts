import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFunctionList } from '../../infra/build/function-list.ts';
import { PROBLEM_CODES } from '../../lib/docs/problem-codes.ts';
import { problemCodesOf } from '../../lib/docs/route-problems.ts';
import type { Contract } from '../../lib/http/contract.ts';
import { allContracts } from '../../lib/http/contracts.ts';

const root = join(import.meta.dirname, '../..');
const contracts: readonly Contract[] = allContracts;
const routes = readFunctionList(root).flatMap(({ source, events }) =>
  events.flatMap(({ httpApi }) => (httpApi === undefined || httpApi === '*' ? [] : [{ source, httpApi }])),
);
const addressOf = ({ method, path }: Contract) => `${method} ${path}`;

describe('the list of contracts is the list of endpoints [A14 A15]', () => {
  it('has one contract for each route of functions.yml, and the other way round', () => {
    expect(contracts.map(addressOf).sort()).toEqual(routes.map(({ httpApi }) => httpApi).sort());
  });

  it('is sorted by path, and gives each endpoint a name of its own', () => {
    const paths = contracts.map(({ path }) => path);
    expect(paths).toEqual([...paths].sort());
    expect(new Set(contracts.map(({ name }) => name)).size).toBe(contracts.length);
  });

  it.each(routes)('$source serves the contract of its route', ({ source, httpApi }) => {
    const name = contracts.find((contract) => addressOf(contract) === httpApi)?.name;
    const text = readFileSync(join(root, source), 'utf8');
    expect(/export const handler = route\((\w+)Contract\b/.exec(text)?.[1]).toBe(name);
    const file = source
      .replace(/^.*\/(.+)\.ts$/, '$1')
      .replace(/-(\w)/g, (_all, letter: string) => letter.toUpperCase());
    expect(name).toBe(file);
  });
});

/** Each error class of lib/errors.ts that may reach a caller: its codes and statuses, as written. */
function declaredErrors() {
  const text = readFileSync(join(root, 'lib/errors.ts'), 'utf8');
  return text
    .split(/^export (?:abstract )?class /m)
    .slice(2)
    .filter((body) => !body.startsWith('LocalServiceError'))
    .flatMap((body) => {
      const codes = [
        ...(/(?:extends CodedError<|\boverride readonly code(?::\s| = ))([^;{]+)/
          .exec(body)?.[1]
          ?.matchAll(/'(\w+)'/g) ?? []),
      ];
      const statuses = [...(/\boverride readonly status(?:: | = )([^;]+);/.exec(body)?.[1]?.matchAll(/\d{3}/g) ?? [])];
      return codes.map(([, code]) => ({ code: code as string, statuses: statuses.map(Number) }));
    });
}

describe('problems are documented as they are thrown [A14 A15]', () => {
  it('knows every code of lib/errors.ts and no other but `internal`', () => {
    const thrown = declaredErrors().map(({ code }) => code);
    expect([...thrown, 'internal'].sort()).toEqual(Object.keys(PROBLEM_CODES).sort());
  });

  it.each(declaredErrors())('$code has the status of its error', ({ code, statuses }) => {
    expect(statuses).toContain(PROBLEM_CODES[code as keyof typeof PROBLEM_CODES].status);
  });

  it.each(contracts)('$name names only codes that exist', (contract) => {
    for (const code of problemCodesOf(contract)) expect(Object.keys(PROBLEM_CODES)).toContain(code);
  });

  it('tells of a guard what it refuses with', () => {
    const codesOf = (name: string) => problemCodesOf(contracts.find((contract) => contract.name === name) as Contract);
    expect(codesOf('getEntry')).toEqual(expect.arrayContaining(['key_missing', 'scope_missing', 'rate_limited']));
    expect(codesOf('whoAmI')).not.toContain('scope_missing');
    expect(codesOf('createKey')).toEqual(expect.arrayContaining(['wrong_key_kind', 'idempotency_key_reused']));
    expect(codesOf('checkLive')).toEqual(['internal', 'config_invalid', 'deadline_exceeded']);
  });
});
