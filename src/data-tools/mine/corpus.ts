// A corpus that stays on disk: checked once, then its passages are read by number through a small table of offsets.
import { closeSync, createReadStream, createWriteStream, existsSync, openSync, readSync } from "node:fs";
import { open, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { dataInvalid, dataNotFound, Findings } from "../../dataset/findings.js";
import { type CorpusPassage, parsePassage, passagesOf } from "./corpus-rows.js";
import type { Pace } from "./pace.js";

/** What the first pass found. */
export interface CorpusCounts {
  passages: number;
  /** Rows without text, and rows with bytes that are not UTF-8. */
  empty: number;
  encoding: number;
}

/** Offset and length of a row, two 64-bit floats: exact up to 2^53 bytes. 16 MB for a million passages. */
const ENTRY_BYTES = 16;
/** Entries kept before they are written. */
const ENTRY_BATCH = 4096;

/** The file of a corpus given as JSONL or as a BEIR folder. @throws RerankTuneError DATA_NOT_FOUND. */
export async function corpusFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  const inside = ["corpus.jsonl", "corpus.jsonl.gz"].map((name) => join(path, name));
  const file = found?.isDirectory() ? inside.find((candidate) => existsSync(candidate)) : path;
  if (found !== undefined && file !== undefined) return file;
  throw dataNotFound(
    found === undefined ? `There is no file or folder ${path}.` : `${path} has no corpus.jsonl.`,
    "give a JSONL of passages with --corpus, one a line: _id, title (may be missing), text",
  );
}

export class Corpus {
  private constructor(
    readonly file: string,
    readonly counts: CorpusCounts,
    /** Descriptors of the rows and of their table. */
    private readonly rows: number,
    private readonly table: number,
  ) {}

  /**
   * Checks the corpus and writes its table into `folder`, unless an earlier run did.
   * @throws RerankTuneError DATA_INVALID with lines, INTERRUPTED, TERMINATED.
   */
  static async open(source: string, folder: string, pace: Pace): Promise<Corpus> {
    const done = join(folder, "corpus.json");
    const table = join(folder, "offsets.bin");
    const file = await unpacked(source, folder);
    if (!existsSync(done)) {
      pace.phase("read corpus");
      await writeFile(`${done}.new`, JSON.stringify(await writeTable(file, source, table, pace)));
      await rename(`${done}.new`, done);
    }
    const counts = JSON.parse(await readFile(done, "utf8")) as CorpusCounts;
    return new Corpus(file, counts, openSync(file, "r"), openSync(table, "r"));
  }

  get size(): number {
    return this.counts.passages;
  }

  /** Passages in order, from a number on. */
  async *passages(from = 0): AsyncGenerator<CorpusPassage> {
    if (from >= this.size) return;
    const { offset } = this.place(from);
    yield* passagesOf(this.file, undefined, { offset, index: from });
  }

  /**
   * One passage by its number. Synchronous: of a hundred small reads a query, asynchronous ones spent two thirds of the time
   * of choosing negatives waiting for one another (11 of 18 s for 1,000 queries, 2 cores).
   */
  read(index: number): { id: string; text: string } {
    const { offset, bytes } = this.place(index);
    const row = Buffer.alloc(bytes);
    readSync(this.rows, row, 0, bytes, offset);
    const found = parsePassage(row.toString("utf8").replace(/^\uFEFF/, ""), index);
    if (typeof found === "object") return found;
    throw dataInvalid(`${this.file} was changed while it was read.`, "run the same command again, without --resume");
  }

  close(): void {
    closeSync(this.rows);
    closeSync(this.table);
  }

  private place(index: number): { offset: number; bytes: number } {
    const entry = new Float64Array(2);
    readSync(this.table, new Uint8Array(entry.buffer), 0, ENTRY_BYTES, index * ENTRY_BYTES);
    return { offset: entry[0] as number, bytes: entry[1] as number };
  }
}

async function writeTable(file: string, shown: string, table: string, pace: Pace): Promise<CorpusCounts> {
  const findings = new Findings();
  const { size } = await stat(file);
  const out = await open(table, "w");
  let passages = 0;
  try {
    const entries = new Float64Array(2 * ENTRY_BATCH);
    for await (const { offset, bytes } of passagesOf(file, findings)) {
      const at = passages % ENTRY_BATCH;
      entries.set([offset, bytes], 2 * at);
      passages += 1;
      if (at < ENTRY_BATCH - 1) continue;
      await out.write(new Uint8Array(entries.buffer));
      await pace.tick(Math.round(offset / 1e6), Math.round(size / 1e6), "MB");
    }
    await out.write(new Uint8Array(entries.buffer, 0, ENTRY_BYTES * (passages % ENTRY_BATCH)));
  } finally {
    await out.close();
  }
  findings.throwIfFatal(shown);
  if (passages === 0) throw dataInvalid(`${shown} holds no passage.`, "give a corpus with at least one passage a line");
  return { passages, empty: findings.empty.total, encoding: findings.encoding.total };
}

/** Rows are read by place, which a packed file cannot give: it is unpacked once into the work folder. */
async function unpacked(source: string, folder: string): Promise<string> {
  if (!source.toLowerCase().endsWith(".gz")) return source;
  const plain = join(folder, "corpus.jsonl");
  if (existsSync(plain)) return plain;
  await pipeline(createReadStream(source), createGunzip(), createWriteStream(`${plain}.new`)).catch((error) => {
    if (!String((error as NodeJS.ErrnoException).code).startsWith("Z_")) throw error;
    throw dataInvalid(`${source} cannot be unpacked.`, `check it with \`gzip -t ${source}\`, or give the plain file`);
  });
  await rename(`${plain}.new`, plain);
  return plain;
}
