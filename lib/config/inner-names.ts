/** The law by which a setting's outer name becomes the one inside: `default_ttl_seconds` is `defaultTtlMs`. */

type Camel<S extends string> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** Seconds are milliseconds inside, so their names say so. */
export type InnerName<S extends string> = S extends `${infer Head}_seconds` ? Camel<`${Head}_ms`> : Camel<S>;

export type InnerNamed<T> = { readonly [K in keyof T & string as InnerName<K>]: T[K] };

/** `checkpoint_interval_seconds` gives `checkpointIntervalMs`. */
export function innerName<const S extends string>(name: S): InnerName<S> {
  const camel = name
    .replace(/_seconds$/, '_ms')
    .replace(/_([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
  return camel as InnerName<S>;
}

/** The same values under their inner names, frozen. Names below the first level stay. */
export function withInnerNames<T extends object>(values: T): InnerNamed<T> {
  return Object.freeze(
    Object.fromEntries(Object.entries(values).map(([name, value]) => [innerName(name), value])),
  ) as InnerNamed<T>;
}
