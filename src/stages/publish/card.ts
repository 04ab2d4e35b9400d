// README.md of a version: rendered from the package's manifest and verify's report alone. Pure; no times, no paths, no user text.
import { stringify } from "yaml";
import type { PackageManifest } from "../../model-folder/layout.js";
import { processorsOf } from "../../model-folder/processors.js";
import { inClusters } from "../../ranking/clusters.js";
import type { QualityRow, VerifyOutput } from "../verify/schema.js";
import type { CardInput } from "./card-input.js";
import { frontMatter, TEI_FOLDER } from "./front-matter.js";
import { snippets, teiSnippets } from "./snippets.js";
import { otherTexts, smallerVocabulary, trimOf } from "./trim-words.js";
import { verdictSection } from "./verdict-section.js";

/** The whole card, Markdown with YAML front matter. */
export function renderCard(input: CardInput): string {
  const sections = [
    introduction(input),
    `## Quality\n\n${qualityTable(input)}`,
    ...(input.verified.verdict === null ? [] : [`## Verdict\n\n${verdictSection(input.verified.verdict)}`]),
    `## Checks\n\n${checks(input)}`,
    `## Data and training\n\n${training(input.manifest)}`,
    `## Use\n\n${snippets({ name: input.name, maxLength: input.manifest.max_length, variants: input.manifest.variants.map(({ name }) => name), tokenTypes: tokenTypes(input.manifest) })}`,
    "## Files\n\n`rerank-tune.json` holds the sha256 of every other file; `rerank-tune verify FOLDER` checks them and repeats the proof on your machine.",
    `## Limitations\n\n${limitations(input)}`,
  ];
  return `---\n${stringify(frontMatter(input))}---\n\n# ${input.name}\n\n${sections.join("\n\n")}\n`;
}

/**
 * The card of the folder that holds the int8 graph for Text Embeddings Inference.
 * @param input with the folder's own name, and a manifest of int8 alone.
 * @param model name of the whole model, whose card has the rest.
 */
export function renderTeiCard(input: CardInput, model: string): string {
  const { name, manifest } = input;
  const sections = [
    `The int8 graph of the reranker \`${model}\`, as \`onnx/model.onnx\`, which is what Text Embeddings Inference opens. Verdict, data, training and the other graphs: the card of \`${model}\`. Pairs are cut to ${manifest.max_length} tokens, the longer text first.`,
    `## Quality\n\n${qualityTable(input)}`,
    `## Checks\n\n${checks(input)}`,
    `## Use\n\n${teiSnippets(name)}`,
    `## Limitations\n\n${limitations(input)}`,
  ];
  return `---\n${stringify(frontMatter(input, TEI_FOLDER))}---\n\n# ${name}\n\n${sections.join("\n\n")}\n`;
}

function introduction({ description, manifest, verified }: CardInput): string {
  const first = description === undefined ? "" : `${description}\n\n`;
  return `${first}A reranker (cross-encoder, \`${manifest.model_type}\`), ${verified.verdict?.student === undefined ? "fine-tuned from" : "a smaller student of"} \`${manifest.base_model}\`. It reads a query and a passage together and gives one logit; sigmoid maps it to a score between 0 and 1, higher is more relevant. Pairs are cut to ${manifest.max_length} tokens, the longer text first.`;
}

function qualityTable({ verified, manifest }: CardInput): string {
  const published = new Set<string>(manifest.variants.map(({ name }) => name));
  const rows: [string, QualityRow | null][] = [
    ["first stage", verified.first_stage],
    ["base", verified.base],
    ["tuned (PyTorch)", verified.tuned],
    ...verified.variants
      .filter(({ name, provider }) => published.has(name) && provider === "cpu")
      .map(({ name, quality }): [string, QualityRow | null] => [`${name} ONNX`, quality]),
  ];
  const measured = rows.filter((row): row is [string, QualityRow] => row[1] !== null);
  if (measured.length === 0) return "No labelled pairs were given to verify, so quality was not measured.";
  const lines = measured.map(
    ([name, row]) =>
      `| ${name} | ${hundred(row["ndcg@10"])} | ${row["ndcg@10_interval"].map(hundred).join(" to ")} | ${hundred(row["mrr@10"])} | ${hundred(row["recall@5"])} |`,
  );
  const { queries, clusters } = measured[0]?.[1] ?? {};
  return [
    "| system | NDCG@10 | 95 % interval | MRR@10 | Recall@5 |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...lines,
    "",
    `On ${queries} test queries${inClusters({ clusters })} that took no part in training, times 100; bootstrap over ${clusters === undefined ? "queries" : "clusters"}.`,
  ].join("\n");
}

function checks({ verified, manifest, withheld }: CardInput): string {
  const published = new Set<string>(manifest.variants.map(({ name }) => name));
  const rows = verified.variants
    .filter(({ name, provider }) => published.has(name) && provider === "cpu")
    .flatMap(({ name, gates }) =>
      gates
        .filter(({ gate }) => !isTimed(gate))
        .map(
          (gate) =>
            `| ${name} | ${gate.gate} | ${gate.measured === null ? "–" : precise(gate.measured)} | ${precise(gate.limit)} | ${gate.outcome} |`,
        ),
    );
  const table = ["| variant | gate | measured | limit | outcome |", "| --- | --- | ---: | ---: | --- |", ...rows].join(
    "\n",
  );
  const tokens = `Token ids of ${verified.tokenizer.pairs} probe pairs were compared between the JavaScript and the Rust tokenizer: ${verified.tokenizer.mismatches} differ.`;
  const held = withheld
    .map((variant) => `- ${variant.name} was held back: ${unmetGates(verified, variant.name)}`)
    .join("\n");
  return `${table}\n\n${tokens}${held === "" ? "" : `\n\n${held}`}`;
}

/** Names alone: a measured time would give the card another digest on every run. */
function unmetGates(verified: VerifyOutput, variant: string): string {
  const gates = verified.variants.filter(({ name }) => name === variant).flatMap((report) => report.gates);
  const failed = [...new Set(gates.filter(({ outcome }) => outcome === "failed").map(({ gate }) => gate))];
  return failed.length === 0 ? "verify did not pass it" : `it fails ${failed.join(", ")}`;
}

/** Times depend on the machine and differ from run to run; they are in the report beside the version. */
function isTimed(gate: string): boolean {
  return /p\d+_ms|speed|latency|second/.test(gate);
}

function training(manifest: PackageManifest): string {
  const { queries, pairs, digests } = manifest.data as {
    queries?: Record<string, number>;
    pairs?: Record<string, number>;
    digests?: Record<string, string>;
  };
  const splits = Object.keys(digests ?? {}).map(
    (split) => `| ${split} | ${queries?.[split] ?? "–"} | ${pairs?.[split] ?? "–"} | \`${digests?.[split]}\` |`,
  );
  const table = ["| split | queries | pairs | sha256 |", "| --- | ---: | ---: | --- |", ...splits].join("\n");
  const trim = trimOf(manifest);
  const vocabulary = trim === undefined ? "" : `\n\n${smallerVocabulary(trim)}`;
  return `${table}${vocabulary}\n\nThe texts themselves are not part of this folder. The whole recipe, seeds, versions and machine are in \`rerank-tune.json\`. Made by rerank-tune ${manifest.rerank_tune}.`;
}

function limitations({ manifest, verified }: CardInput): string {
  const trim = trimOf(manifest);
  const detectable = verified.variants.flatMap(({ ndcg_difference }) => ndcg_difference?.smallest_detectable ?? []);
  return [
    "- Tuned for the kind of queries and passages it was trained on; measure it on your own before you rely on it elsewhere.",
    `- What lies behind ${manifest.max_length} tokens of a pair is not read.`,
    (manifest.training.calibration ?? null) === null
      ? "- A score orders passages of one query. It is no probability and no threshold was calibrated."
      : "- The sigmoid of a score was calibrated on the dev split: read it as a probability on data like that alone.",
    ...(trim === undefined ? [] : [`- ${otherTexts(trim)}`]),
    ...processors(manifest),
    ...(detectable.length > 0
      ? [
          `- The test split can show a loss of NDCG@10 from ${hundred(Math.max(...detectable))} points up; smaller ones stay unseen.`,
        ]
      : []),
  ].join("\n");
}

/** Which processors int8 was made for; nothing where it is not published. */
function processors({ variants, quantization }: PackageManifest): string[] {
  const { weight_bits: bits } = quantization;
  if (typeof bits !== "number" || !variants.some(({ name }) => name === "int8")) return [];
  return [`- int8 has ${processorsOf(bits)}.`];
}

function tokenTypes(manifest: PackageManifest): boolean {
  return Array.isArray(manifest.export.inputs) && manifest.export.inputs.includes("token_type_ids");
}

function hundred(value: number): string {
  return (100 * value).toFixed(2);
}

function precise(value: number): string {
  return String(Number(value.toPrecision(3)));
}
