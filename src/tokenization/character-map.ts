// The `Precompiled` normalizer of a SentencePiece tokenizer, character for character what the Rust library does.
import { clustersMeet, textClusters } from "./clusters.js";

/** Rust maps a cluster as a whole only below this many UTF-8 bytes. */
const LONGEST_CLUSTER_BYTES = 5;

const UNKNOWN = 0;
const KEPT = 1;
const MAPPED = 2;

/**
 * A map of short texts to their normal form: a double array over UTF-8 bytes whose leaves point into a list of texts that end
 * with NUL (sentencepiece `builder.cc`; read as `spm_precompiled` 0.1 and `normalizers/precompiled.rs` of tokenizers 0.23 do).
 *
 * Rust takes the SHORTEST key that begins a cluster and drops the rest of the cluster: a compatibility character loses its
 * combining mark (`ﬁ` + U+0301 gives `fi`). Models were trained that way, so it is kept.
 */
export class CharacterMap {
  private readonly units: Uint32Array;
  private readonly texts: Uint8Array;
  /** What is known of each code point, filled as they are met. */
  private readonly known = new Uint8Array(0x110000);
  private readonly replacements = new Map<number, string>();
  private readonly bytes = new Uint8Array(8);
  private readonly encoder = new TextEncoder();

  /** @param base64 `precompiled_charsmap` of a tokenizer.json. @throws Error when it is not such a map. */
  constructor(base64: string) {
    const blob = Buffer.from(base64, "base64");
    const size = blob.length < 4 ? 0 : blob.readUInt32LE(0);
    if (size === 0 || size % 4 !== 0 || 4 + size > blob.length) throw new Error("precompiled_charsmap is damaged");
    this.units = Uint32Array.from({ length: size / 4 }, (_, index) => blob.readUInt32LE(4 + 4 * index));
    this.texts = blob.subarray(4 + size);
  }

  normalize(text: string): string {
    let result = "";
    let copied = 0; // text before this place is in `result`
    let at = 0;
    while (at < text.length) {
      const code = text.codePointAt(at) as number;
      const next = at + (code > 0xffff ? 2 : 1);
      if (next < text.length && clustersMeet(code, text.codePointAt(next) as number)) {
        const clusters = textClusters(text, at);
        result += text.slice(copied, at) + this.normalizeClusters(clusters);
        for (const cluster of clusters) at += cluster.length;
        copied = at;
      } else {
        if (this.isMapped(code)) {
          result += text.slice(copied, at) + (this.replacements.get(code) as string);
          copied = next;
        }
        at = next;
      }
    }
    return copied === 0 ? text : result + text.slice(copied);
  }

  private normalizeClusters(clusters: readonly string[]): string {
    return clusters.map((cluster) => this.shortestKey(cluster) ?? this.eachCharacter(cluster)).join("");
  }

  private eachCharacter(cluster: string): string {
    let result = "";
    for (const character of cluster) {
      const code = character.codePointAt(0) as number;
      result += this.isMapped(code) ? this.replacements.get(code) : character;
    }
    return result;
  }

  private isMapped(code: number): boolean {
    if (this.known[code] === UNKNOWN) {
      const found = this.shortestKey(String.fromCodePoint(code));
      if (found !== undefined) this.replacements.set(code, found);
      this.known[code] = found === undefined ? KEPT : MAPPED;
    }
    return this.known[code] === MAPPED;
  }

  /** The normal form of the shortest key that `text` begins with; undefined without one, or where `text` is too long to be looked up. */
  private shortestKey(text: string): string | undefined {
    const { read, written } = this.encoder.encodeInto(text, this.bytes);
    if (read < text.length || written > LONGEST_CLUSTER_BYTES) return undefined;
    const { units, bytes } = this;
    let node = offsetOf(units[0] as number);
    for (let index = 0; index < written; index++) {
      const byte = bytes[index] as number;
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = units[node] as number;
      if ((unit & 0x800000ff) >>> 0 !== byte) return undefined;
      node ^= offsetOf(unit);
      if ((unit >>> 8) & 1) return this.textAt((units[node] as number) & 0x7fffffff);
    }
    return undefined;
  }

  private textAt(start: number): string {
    const end = this.texts.indexOf(0, start);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.texts.subarray(start, end < 0 ? undefined : end));
  }
}

/** Distance to the children of a unit, as Darts packs it. */
function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
