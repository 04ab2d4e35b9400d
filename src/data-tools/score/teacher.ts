// What a teacher is, whoever it is: a reranker that scores passages of a query.
import type { EndpointTeacherOptions, LocalTeacherOptions, ScoreContext, TeacherOptions } from "./options.js";

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

/** @throws RerankTuneError MODEL_NOT_FOUND, USAGE. Nothing costly is started before the first score. */
export async function openTeacher(options: TeacherOptions, context: ScoreContext): Promise<Teacher> {
  if (isLocal(options)) return await (await import("./local-teacher.js")).localTeacher(options, context);
  return await (await import("./endpoint-teacher.js")).endpointTeacher(options, context);
}

function isLocal(options: LocalTeacherOptions | EndpointTeacherOptions): options is LocalTeacherOptions {
  return "folder" in options;
}
