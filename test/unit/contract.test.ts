import { expect, it } from 'vitest';
import { defineContract, open, tenant } from '../../lib/http/contract.ts';
import { allContracts } from '../../lib/http/contracts.ts';

const rest = { method: 'GET', path: '/x', name: 'x', summary: 'x', replies: {}, problems: [] } as const;

it('a contract without a guard, or with a scope nobody can have, does not compile', () => {
  // The compiler is the test: each mark below fails the type check where the line under it has no error.
  // @ts-expect-error no guard
  defineContract(rest);
  // @ts-expect-error no such guard
  defineContract({ ...rest, guard: { kind: 'nobody' } });
  // @ts-expect-error no such scope
  tenant('cache:reed');
  expect(defineContract({ ...rest, guard: open }).guard).toEqual({ kind: 'open' });
});

it('every contract has a guard', () => {
  for (const { guard } of allContracts) expect(['open', 'admin', 'tenant']).toContain(guard.kind);
});
