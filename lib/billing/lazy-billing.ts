import { lazily } from '../lazily.ts';
import type { Billing, BillingDeps } from './billing.ts';

/** Billing, loaded with its first use. */
export const createLazyBilling = (deps: BillingDeps): Billing =>
  lazily<Billing>(
    { get: true, list: true, adjust: true, closeDue: true, closeWhenDue: true, closeFinal: true },
    async () => (await import('./billing.ts')).createBilling(deps),
  );
