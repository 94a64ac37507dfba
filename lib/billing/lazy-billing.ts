import type { Billing, BillingDeps } from './billing.ts';

/** Billing, loaded with its first use: a cold start of a request that has nothing to do with it reads none of it. */
export function createLazyBilling(deps: BillingDeps): Billing {
  let loading: Promise<Billing> | undefined;
  const billing = () => {
    loading ??= import('./billing.ts').then(({ createBilling }) => createBilling(deps));
    return loading;
  };
  return {
    get: async (...args) => (await billing()).get(...args),
    list: async (...args) => (await billing()).list(...args),
    adjust: async (...args) => (await billing()).adjust(...args),
    closeDue: async (...args) => (await billing()).closeDue(...args),
    closeWhenDue: async (...args) => (await billing()).closeWhenDue(...args),
    closeFinal: async (...args) => (await billing()).closeFinal(...args),
  };
}
