// Writes the sides of every assignment as canonical groups, in the order of the data, in one pass over it.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { SPLITS, type Split } from "../../dataset/groups.js";
import { canonicalLine } from "../reading/canonical.js";
import type { JudgedGroup } from "../reading/judged-group.js";
import { LineFile } from "../reading/line-file.js";
import type { Assignment } from "./assign.js";
import type { SplitFile } from "./options.js";

interface Side {
  path: string;
  split: Split;
  file: LineFile;
  pairs: number;
}

export class SideFiles {
  private readonly sides: Side[][];

  /** @throws RerankTuneError NOT_WRITABLE, DISK_FULL; so do the methods. */
  constructor(
    out: string,
    private readonly assignments: readonly Assignment[],
  ) {
    this.sides = assignments.map(({ folder }) => {
      mkdirSync(join(out, folder), { recursive: true });
      return SPLITS.map((split) => {
        const path = folder === "" ? `${split}.jsonl` : `${folder}/${split}.jsonl`;
        return { path, split, file: new LineFile(join(out, path)), pairs: 0 };
      });
    });
  }

  add(group: JudgedGroup): void {
    this.assignments.forEach(({ sideOf }, at) => {
      const split = sideOf(group.number);
      const side = this.sides[at]?.[SPLITS.indexOf(split)] as Side;
      // The row says its side too, so that files put together again keep it.
      side.file.add(canonicalLine({ ...group, query: { ...group.query, split } }));
      side.pairs += group.passages.length;
    });
  }

  finish(): SplitFile[] {
    return this.sides
      .flat()
      .map(({ path, split, file, pairs }) => ({ path, split, queries: file.lines, pairs, sha256: file.finish() }));
  }

  discard(): void {
    for (const { file } of this.sides.flat()) file.discard();
  }
}
