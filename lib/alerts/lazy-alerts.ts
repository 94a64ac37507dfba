import type { TenantId } from '../ids.ts';
import type { Alerts, AlertsDeps } from './alerts.ts';
import { refusedResource } from './refused-resource.ts';

/** Alerts, loaded with their first use; and the door's way to note what it refuses. */
export type LazyAlerts = Alerts & {
  /** Notes a refusal when the error is one because of a quota; see {@link Alerts.noteRefusal}. Never throws. */
  noteError(tenantId: TenantId, error: unknown): Promise<void>;
};

/** A cold start of a request that is not refused reads none of it. */
export function createLazyAlerts(deps: AlertsDeps): LazyAlerts {
  let loading: Promise<Alerts> | undefined;
  const alerts = () => {
    loading ??= import('./alerts.ts').then(({ createAlerts }) => createAlerts(deps));
    return loading;
  };
  return {
    evaluate: async (...args) => (await alerts()).evaluate(...args),
    deliver: async (...args) => (await alerts()).deliver(...args),
    list: async (...args) => (await alerts()).list(...args),
    sendTest: async (...args) => (await alerts()).sendTest(...args),
    noteRefusal: async (...args) => (await alerts()).noteRefusal(...args),
    async noteError(tenantId, error) {
      const resource = refusedResource(error);
      if (resource !== undefined) await (await alerts()).noteRefusal(tenantId, resource);
    },
  };
}
