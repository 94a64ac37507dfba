/** Read-through: a loader for each namespace, registered once, so that who reads need not know where values come from. */
import type { Caller } from '../../gate/caller.ts';
import type { TenantId } from '../../ids.ts';
import type { EntryName } from '../../keys.ts';
import type { GetOrSet } from './get-or-set.ts';
import type { GetOrSetOptions, LoadContext, Loaded, Obtained } from './get-or-set-options.ts';

/** As a load of getOrSet, told what to load. */
export type Loader = (
  context: LoadContext & { readonly tenantId: TenantId; readonly name: EntryName },
) => Promise<Loaded | null>;

export type Loaders = ReturnType<typeof createLoaders>;

export function createLoaders({ getOrSet }: Pick<GetOrSet, 'getOrSet'>) {
  const loaders = new Map<string, { readonly load: Loader; readonly options: GetOrSetOptions }>();
  return {
    /** Of every tenant's namespace of this name, in this process. @throws {TypeError} it has one already. */
    registerLoader(namespace: string, load: Loader, options: GetOrSetOptions = {}): void {
      if (loaders.has(namespace)) throw new TypeError('The namespace has a loader already');
      loaders.set(namespace, { load, options });
    },

    /** As getOrSet with the loader of its namespace. @throws {TypeError} the namespace has none. */
    async getThrough(caller: Caller, name: EntryName): Promise<Obtained | null> {
      const own = loaders.get(name.namespace);
      if (own === undefined) throw new TypeError('The namespace has no loader');
      const { tenantId } = caller;
      return getOrSet(caller, name, (context) => own.load({ ...context, tenantId, name }), own.options);
    },
  };
}
