/** Values as services store them: JSON of products, the same in every run. */

const WORDS =
  'amber basin copper delta ember fjord garnet harbor indigo juniper kelp lagoon maple nectar onyx prairie quartz river saffron tundra umber velvet willow yarrow zephyr'.split(
    ' ',
  );

/**
 * A JSON document of exactly so many bytes.
 * @param bytes at least 64. @param seed of another one there is another document.
 */
export function jsonOfBytes(bytes: number, seed = bytes): Buffer {
  const random = createRandom(seed);
  const items: string[] = [];
  const wrap = (note: string) => `{"items":[${items.join(',')}],"note":"${note}"}`;
  for (let next = product(random); wrap('').length + next.length + 1 <= bytes; next = product(random)) items.push(next);
  let note = '';
  while (wrap(note).length < bytes) note += `${pick(random, WORDS)} `;
  return Buffer.from(wrap(note.slice(0, note.length - (wrap(note).length - bytes))));
}

const product = (random: () => number): string =>
  JSON.stringify({
    id: `sku-${Math.floor(random() * 1e9).toString(36)}`,
    name: `${pick(random, WORDS)} ${pick(random, WORDS)} ${pick(random, WORDS)}`,
    price_cents: Math.floor(random() * 100_000),
    in_stock: random() > 0.2,
    rating: Math.round(random() * 50) / 10,
    tags: [pick(random, WORDS), pick(random, WORDS)],
    updated_at: new Date(1.7e12 + Math.floor(random() * 1e10)).toISOString(),
  });

const pick = (random: () => number, words: readonly string[]): string =>
  words[Math.floor(random() * words.length)] ?? '';

/** mulberry32: 0 to 1, the same sequence for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
