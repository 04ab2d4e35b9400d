// What a teacher is, whoever it is: a reranker that scores passages of a query.

export interface TeacherGroup {
  query: string;
  passages: readonly string[];
}

export interface Teacher {
  /** Folder, or address without its query string. */
  name: string;
  /** Everything about the teacher that decides its scores: digests and plain values. */
  identity: Record<string, string>;
  /** Groups that are scored together: a constant, because what shares a batch may change the last digit of a score. */
  block: number;
  /** Blocks under way at once. */
  concurrency: number;
  /** One finite score a passage, group by group. */
  score(groups: readonly TeacherGroup[], signal: AbortSignal): Promise<number[][]>;
  close(): Promise<void>;
}
