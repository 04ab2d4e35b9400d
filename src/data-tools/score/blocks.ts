// Scores a stream of groups in blocks that are the same however often the run was interrupted, one line a group into a part file.
import { inOrder } from "../endpoint/in-order.js";
import type { PartFile } from "./part-file.js";
import type { Teacher, TeacherGroup } from "./teacher.js";

interface Block<Item> {
  /** Place of its first item among all. */
  first: number;
  items: Item[];
}

export interface BlockJob<Item> {
  items: Iterable<Item>;
  teacher: Teacher;
  part: PartFile;
  groupOf(item: Item): TeacherGroup | Promise<TeacherGroup>;
  lineOf(item: Item, scores: readonly number[]): string;
  /** Called with the items done so far, those of an earlier run among them. */
  onProgress(done: number): void;
  signal: AbortSignal;
}

/** What is done when it fails stays in the part file. */
export async function scoreBlocks<Item>(job: BlockJob<Item>): Promise<void> {
  const { items, teacher, part, groupOf, lineOf, onProgress, signal } = job;
  const open = blocksOf(items, teacher.block, part.found);
  const score = async (block: Block<Item>, stop: AbortSignal) => {
    const groups = await Promise.all(block.items.map(groupOf));
    const some = groups.some(({ passages }) => passages.length > 0);
    return { ...block, scores: some ? await teacher.score(groups, stop) : groups.map(() => []) };
  };
  try {
    for await (const { first, items: scored, scores } of inOrder(open, teacher.concurrency, signal, score)) {
      // A block may have been torn in the middle: it is scored whole again, for the same batches.
      for (const [at, item] of scored.entries())
        if (first + at >= part.found) await part.add(lineOf(item, scores[at] ?? []));
      onProgress(first + scored.length);
    }
  } finally {
    await part.flush();
  }
}

/** Blocks with at least one item that is not done. */
function* blocksOf<Item>(items: Iterable<Item>, size: number, done: number): Generator<Block<Item>> {
  let block: Block<Item> = { first: 0, items: [] };
  for (const item of items) {
    block.items.push(item);
    if (block.items.length < size) continue;
    if (block.first + size > done) yield block;
    block = { first: block.first + size, items: [] };
  }
  if (block.first + block.items.length > done) yield block;
}
