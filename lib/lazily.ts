type AsyncMethods<S> = { readonly [M in keyof S]: (...args: never[]) => Promise<unknown> };

/**
 * A service of which every method is asynchronous, loaded with its first call: a cold start of a request that has nothing
 * to do with it reads none of it. A failed load is tried again.
 * `lazily<Billing>({ get: true, close: true }, async () => (await import('./billing/billing.ts')).createBilling(deps))`.
 * @param methods all of the service's; one left out does not compile.
 */
export function lazily<S extends AsyncMethods<S>>(
  methods: { readonly [M in keyof S]: true },
  load: () => Promise<S>,
): S {
  let loading: Promise<S> | undefined;
  const service = () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
  const call =
    (method: keyof S) =>
    async (...args: never[]) =>
      (await service())[method](...args);
  return Object.fromEntries(Object.keys(methods).map((method) => [method, call(method as keyof S)])) as unknown as S;
}
