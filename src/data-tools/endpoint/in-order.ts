// Runs work with bounded concurrency and gives results in the order of the items, so that an append-only file is always a beginning.

/** Items begun beyond those running, in multiples of the concurrency: one slow item does not hold up the rest. */
const AHEAD = 4;

/**
 * @param work gets a signal that ends it when another one failed or the reader stopped.
 * Nothing is running any more when the generator ends, however it ends.
 */
export async function* inOrder<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  concurrency: number,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): AsyncGenerator<Result> {
  const rest = new AbortController();
  const stop = AbortSignal.any([signal, rest.signal]);
  const turn = turnstile(concurrency);
  const begun: Promise<Result>[] = [];
  let failed = false;
  const begin = (item: Item): void => {
    const result = turn(async () => {
      if (failed || stop.aborted) throw stop.reason;
      return await work(item, stop).catch((error) => {
        failed = true; // what comes after it is not begun; what came before may still end well
        throw error;
      });
    });
    result.catch(() => undefined); // whoever takes it from `begun` sees the failure
    begun.push(result);
  };
  try {
    for await (const item of items) {
      begin(item);
      if (begun.length >= concurrency * AHEAD) yield await (begun.shift() as Promise<Result>);
    }
    while (begun.length > 0) yield await (begun.shift() as Promise<Result>);
  } finally {
    rest.abort(new Error("not needed any more"));
    await Promise.allSettled(begun);
  }
}

/** Lets `places` pieces of work run at once, first come first served. */
function turnstile(places: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let free = places;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
