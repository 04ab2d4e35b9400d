// Extended grapheme clusters (UAX #29), looked up only where two characters may belong together: most texts have no such place.

const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });

const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;

const UNKNOWN = 0;
const ALONE = 1;
const JOINS = 2;
const kinds = new Uint8Array(0x110000);

/** True unless a cluster surely ends between the two: neither joins with a neighbour. */
export function clustersMeet(code: number, next: number): boolean {
  return joins(next) || joins(code) || (next === LINE_FEED && code === CARRIAGE_RETURN);
}

/**
 * The clusters of the run at `start`: up to the first place where two characters that never join meet.
 * `start` must be the start of a cluster.
 */
export function textClusters(text: string, start: number): string[] {
  let end = start;
  let previous = text.codePointAt(start) as number;
  for (;;) {
    end += previous > 0xffff ? 2 : 1;
    const next = text.codePointAt(end);
    if (next === undefined || !clustersMeet(previous, next)) break;
    previous = next;
  }
  return Array.from(segmenter.segment(text.slice(start, end)), ({ segment }) => segment);
}

/** Whether a character can be in one cluster with a neighbour: asked of the segmenter once, beside a letter that never joins. */
function joins(code: number): boolean {
  if (kinds[code] === UNKNOWN) kinds[code] = joinsSomewhere(code) ? JOINS : ALONE;
  return kinds[code] === JOINS;
}

function joinsSomewhere(code: number): boolean {
  if (code < 0x80) return false;
  if (isHangulJamo(code) || isRegionalIndicator(code)) return true;
  return [...segmenter.segment(`a${String.fromCodePoint(code)}a`)].length < 3;
}

/** Jamo join one another and syllables, never a letter. */
function isHangulJamo(code: number): boolean {
  return (code >= 0x1100 && code <= 0x11ff) || (code >= 0xa960 && code <= 0xa97f) || (code >= 0xd7b0 && code <= 0xd7ff);
}

/** Two of them make a flag. */
function isRegionalIndicator(code: number): boolean {
  return code >= 0x1f1e6 && code <= 0x1f1ff;
}
