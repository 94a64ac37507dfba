/** Which endpoints may have a limit of their own: those that take a tenant's key. Loads every contract. */
import { InvalidRequestError } from '../errors.ts';
import type { Contract } from '../http/contract.ts';
import { allContracts } from '../http/contracts.ts';

/** @throws {InvalidRequestError} a limit of an endpoint that does not exist, or takes no tenant key. */
export function checkLimitedRoutes(rateLimit: { readonly routes?: object | undefined } | null | undefined): void {
  const known = allContracts.filter(({ guard }: Contract) => guard.kind === 'tenant').map(({ name }): string => name);
  const unknown = Object.keys(rateLimit?.routes ?? {}).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  const message = `must be the name of an endpoint that takes a tenant key: ${known.join(', ')}`;
  const issues = unknown.map((name) => ({ field: `body.rate_limit.routes.${name}`, message }));
  throw new InvalidRequestError('A limit is for an endpoint that has none', { issues });
}
