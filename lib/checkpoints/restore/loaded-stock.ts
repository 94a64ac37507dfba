/** What records that are loaded take: what a tenant's counters say of them once they serve. */

/** Sizes are bytes. */
export interface LoadedStock {
  readonly memory: number;
  readonly entries: number;
  readonly storage: number;
  /** Of the values of entries: as given, and as packed. */
  readonly raw: number;
  readonly packed: number;
  readonly sessions: number;
  readonly hotBytes: number;
  readonly spilled: number;
  readonly spilledBytes: number;
  /** The newest of any. */
  readonly seq: number;
}

export const NOTHING_LOADED: LoadedStock = {
  memory: 0,
  entries: 0,
  storage: 0,
  raw: 0,
  packed: 0,
  sessions: 0,
  hotBytes: 0,
  spilled: 0,
  spilledBytes: 0,
  seq: 0,
};

export const withLoaded = (stock: LoadedStock, more: LoadedStock): LoadedStock => ({
  memory: stock.memory + more.memory,
  entries: stock.entries + more.entries,
  storage: stock.storage + more.storage,
  raw: stock.raw + more.raw,
  packed: stock.packed + more.packed,
  sessions: stock.sessions + more.sessions,
  hotBytes: stock.hotBytes + more.hotBytes,
  spilled: stock.spilled + more.spilled,
  spilledBytes: stock.spilledBytes + more.spilledBytes,
  seq: Math.max(stock.seq, more.seq),
});
