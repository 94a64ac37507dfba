/** What an invalidation is about. Pure. */
import { type Access, allows, allowsBelow, type PolicySet } from '../../gate/policies.ts';
import { resourceOf } from '../entry-call.ts';
import { compileGlob, type Glob } from './glob.ts';

export type Selector =
  | { readonly by: 'keys'; readonly namespace: string; readonly keys: readonly string[] }
  | { readonly by: 'prefix'; readonly namespace: string; readonly prefix: string }
  | { readonly by: 'glob'; readonly namespace: string; readonly glob: string }
  | { readonly by: 'tags'; readonly tags: readonly string[] }
  | { readonly by: 'namespace'; readonly namespace: string }
  | { readonly by: 'all' };

/** Entries of a namespace that are found by walking through its keys. */
export interface Walked {
  readonly namespace: string;
  /** What every key that is meant begins with; empty: the whole namespace is gone through. */
  readonly prefix: string;
  /** Null: the prefix alone decides. */
  readonly glob: Glob | null;
}

/** What is to be gone through; null: nothing, an epoch or the names will do. @throws {InvalidRequestError} no pattern. */
export function walkedBy(selector: Selector): Walked | null {
  if (selector.by === 'prefix') return { ...selector, glob: null };
  if (selector.by !== 'glob') return null;
  const glob = compileGlob(selector.glob, 'body.glob');
  return { namespace: selector.namespace, prefix: glob.literalPrefix, glob };
}

/**
 * Whether the tenant's policies allow it: of keys each of them, of a prefix or glob all entries it may be about, of tags and of
 * everything all entries there are, for a tag may be on any.
 */
export function allowedBy(selector: Selector) {
  return (policies: PolicySet | null, who: Omit<Access, 'resource'>): boolean => {
    if (selector.by === 'keys') {
      const { namespace, keys } = selector;
      return keys.every((key) => allows(policies, { ...who, resource: resourceOf({ namespace, key }) }));
    }
    return allowsBelow(policies, { ...who, resource: areaOf(selector) });
  };
}

function areaOf(selector: Exclude<Selector, { by: 'keys' }>): string {
  switch (selector.by) {
    case 'tags':
    case 'all':
      return 'cache/';
    case 'namespace':
      return resourceOf({ namespace: selector.namespace, key: '' });
    default: {
      const { namespace, prefix } = walkedBy(selector) as Walked;
      return resourceOf({ namespace, key: prefix });
    }
  }
}
