import type { Audit, AuditDeps } from './audit.ts';

/** The audit log, loaded with its first use: a cold start of a request that has nothing to do with it reads none of it. */
export function createLazyAudit(deps: AuditDeps): Audit {
  let loading: Promise<Audit> | undefined;
  const audit = () => {
    loading ??= import('./audit.ts').then(({ createAudit }) => createAudit(deps));
    return loading;
  };
  return {
    append: async (...args) => (await audit()).append(...args),
    seal: async (...args) => (await audit()).seal(...args),
    archive: async (...args) => (await audit()).archive(...args),
    list: async (...args) => (await audit()).list(...args),
  };
}
