// What labelled data look like when they come back from the scratch file: queries, their judged rows, and texts as they are met.
import type { Place } from "../../dataset/findings.js";
import type { Split } from "../../dataset/groups.js";
import type { Judgement } from "../../dataset/labelled.js";

/** What is kept of a query, as JSON in the store. */
export interface StoredQuery extends Place {
  id: string;
  text: string;
  groups: string[];
  lang?: string;
  /** Where the query comes from, such as `synthetic`. */
  source?: string;
  split?: Split;
}

/** One judgement as it stands in the data, repeated and contradicting ones too. */
export interface JudgedRow extends Judgement {
  /** Number of the passage: rows of one group with the same number judge the same passage. */
  passage: number;
  id: string;
  /** Whole passage as a model sees it. */
  text: string;
  title?: string;
}

/** A query with everything that the data says of it. */
export interface RowGroup {
  /** 0-based number of the query, in the order of the data. */
  number: number;
  query: StoredQuery;
  rows: JudgedRow[];
}

/** A text when it is met for the first time. */
export interface MetText {
  /** Where it is asked for or judged; a passage of a corpus that nothing judges has no line. */
  place: Partial<Place>;
  side: "query" | "passage";
  id: string;
  text: string;
}
