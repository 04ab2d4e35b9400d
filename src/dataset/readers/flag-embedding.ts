// Reads FlagEmbedding's JSONL: query, pos, neg, and optional pos_scores and neg_scores of a teacher.
import { type Judgement, LabelledData, type LabelledQuery } from "../labelled.js";
import { numberOf, textField } from "./fields.js";
import { readJsonRows } from "./rows.js";

/** Positives get label 1, negatives 0; `neg` may be missing, a teacher's scores must be as many as the texts. */
export async function readFlagEmbedding(path: string): Promise<LabelledData> {
  const data = new LabelledData("flag_embedding");
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    const text = textField(data, place, "query", values.query);
    if (!Array.isArray(values.pos))
      data.findings.fatal.add({
        ...place,
        path: "pos",
        message: "has no list `pos`",
        hint: 'write {"query": "...", "pos": ["..."], "neg": ["..."]} on every line',
      });
    if (text === undefined || !Array.isArray(values.pos)) continue;
    const query = data.queryWithText(text, place);
    addSide(data, query, place, "pos", values.pos, values.pos_scores, 1);
    addSide(data, query, place, "neg", values.neg ?? [], values.neg_scores, 0);
  }
  return data;
}

function addSide(
  data: LabelledData,
  query: LabelledQuery,
  place: { file: string; line: number },
  name: string,
  texts: unknown,
  scores: unknown,
  label: number,
): void {
  if (!Array.isArray(texts)) {
    data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` is not a list` });
    return;
  }
  const given = scores !== undefined && scores !== null;
  if (given && (!Array.isArray(scores) || scores.length !== texts.length)) {
    data.findings.fatal.add({
      ...place,
      path: `${name}_scores`,
      message: `\`${name}_scores\` has not as many numbers as \`${name}\` has texts`,
    });
    return;
  }
  texts.forEach((value, index) => {
    const text = textField(data, place, name, value);
    if (text === undefined) return;
    const teacher = given ? numberOf((scores as unknown[])[index]) : undefined;
    const judgement: Judgement = { ...place, label, ...(teacher === undefined ? {} : { teacher_score: teacher }) };
    data.judge(query, data.passageWithText(text), judgement);
  });
}
