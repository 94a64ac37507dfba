/** What a tenant's record says of its cache, as the gate hands it to instances: pure. */
import { defined } from '../defined.ts';
import type { CacheChoices, NamespaceChoices } from '../gate/cache-choices.ts';
import type { CacheSettingsResponse } from './cache-contract.ts';

/** Without what says nothing: a tenant that chose nothing has `{}`. */
export function choicesOf({ eviction_policy, namespaces = {} }: CacheSettingsResponse = {}): CacheChoices {
  const named = Object.entries(namespaces)
    .map(([name, settings]) => [name, choiceOf(settings)] as const)
    .filter(([, settings]) => Object.keys(settings).length > 0);
  return {
    ...(eviction_policy === undefined ? {} : { eviction: eviction_policy }),
    ...(named.length === 0 ? {} : { namespaces: Object.fromEntries(named) }),
  };
}

type NamespaceSettings = NonNullable<CacheSettingsResponse['namespaces']>[string];

function choiceOf({ default_ttl_seconds: ttl, ...rest }: NamespaceSettings): NamespaceChoices {
  return { ...defined(rest), ...(ttl === undefined ? {} : { default_ttl_seconds: ttl === 'never' ? null : ttl }) };
}
