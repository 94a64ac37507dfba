import { expect, it } from 'vitest';
import { EMPTY_CONTEXT } from '../../lib/gate/context-format.ts';
import { createContexts } from '../../lib/gate/contexts.ts';
import { newTenantId } from '../../lib/ids.ts';

const tenant = (n: number) => newTenantId(`${n}`.padStart(26, '0'));
const context = (generation: number) => ({ ...EMPTY_CONTEXT, version: '1', generation });

it('an instance forgets the tenants it served longest ago, and no more than it must [T2]', () => {
  const contexts = createContexts(4);
  for (let n = 0; n < 4; n++) contexts.keep(tenant(n), context(n));
  expect(contexts.find(tenant(0))).toEqual(context(0));
  contexts.keep(tenant(4), context(4));
  const known = [0, 1, 2, 3, 4].filter((n) => contexts.find(tenant(n)) !== undefined);
  expect(known).toEqual([0, 2, 3, 4]);
});

it('an instance keeps the newest context of a tenant', () => {
  const contexts = createContexts(2);
  contexts.keep(tenant(0), context(1));
  contexts.keep(tenant(0), context(2));
  contexts.keep(tenant(1), context(1));
  expect(contexts.find(tenant(0))).toEqual(context(2));
});
