/** What was used when: a list that items are linked into. A Map in order of insertion would do, but finding its oldest is not O(1). */
export interface Linked<Item> {
  newer: Item | null;
  older: Item | null;
}

export function createRecency<Item extends Linked<Item>>() {
  let newest: Item | null = null;
  let oldest: Item | null = null;
  let count = 0;

  const unlink = (item: Item) => {
    if (item.newer === null) newest = item.older;
    else item.newer.older = item.older;
    if (item.older === null) oldest = item.newer;
    else item.older.newer = item.newer;
    item.newer = null;
    item.older = null;
  };
  const link = (item: Item) => {
    item.older = newest;
    if (newest === null) oldest = item;
    else newest.newer = item;
    newest = item;
  };

  return {
    /** Of an item that is not in it; it counts as used now. */
    add(item: Item): void {
      link(item);
      count++;
    },
    /** Of an item that is in it. */
    remove(item: Item): void {
      unlink(item);
      count--;
    },
    touch(item: Item): void {
      if (item === newest) return;
      unlink(item);
      link(item);
    },
    oldest: () => oldest,
    count: () => count,
  };
}
