import { expect, it } from 'vitest';
import { allScripts } from '../../lib/redis/bindings/all-scripts.ts';
import { allFlows } from '../support/flows/all-flows.ts';

it('every script is a call of a flow that is tested with faults', () => {
  const called = new Set(allFlows.flatMap(({ calls }) => calls));
  expect(allScripts.map(({ name }) => name).filter((name) => !called.has(name))).toEqual([]);
});

it('every flow has a name of its own', () => {
  expect(new Set(allFlows.map(({ name }) => name)).size).toBe(allFlows.length);
});
