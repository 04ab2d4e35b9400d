// A seeded generator of whole numbers for resampling. Not for secrets.

/**
 * sfc32 (Chris Doty-Humphrey's PractRand): 128 bits of state, fast in 32-bit arithmetic.
 * @returns a function that draws whole numbers from 0 to `below` - 1.
 */
export function seededIntegers(seed: number): (below: number) => number {
  let [a, b, c, counter] = [seed | 0, Math.floor(seed / 2 ** 32) | 0, 0x9e3779b9 | 0, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return sum >>> 0;
  };
  // The first outputs still resemble the seed.
  for (let round = 0; round < 15; round++) next();
  return (below) => Math.floor((next() / 2 ** 32) * below);
}
