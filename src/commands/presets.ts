// `presets`: lists the bases with ready settings that `init --preset` writes recipes from. Finds one by its name.
import { distance } from "fastest-levenshtein";
import { RerankTuneError } from "../errors.js";
import { PRESETS, type Preset } from "../recipe/presets.js";
import type { Paint } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import { programName } from "./context.js";

const INDENT = 2;

/** All presets; `--json` has every setting with its reason. */
export async function listPresets(): Promise<Renderable> {
  const program = await programName();
  return {
    data: { presets: PRESETS },
    essential: PRESETS.map(({ name }) => name).join("\n"),
    text: (paint, width) =>
      [...PRESETS.flatMap((preset) => lines(preset, paint, width)), ...next(program, paint)].join("\n"),
  };
}

function lines(preset: Preset, paint: Paint, width: number | undefined): string[] {
  const facts = columns(
    [
      ["base", preset.base],
      ["licence", preset.license],
      ["trains on", preset.hardware],
    ],
    [1],
  );
  const indent = " ".repeat(INDENT);
  return [
    paint("bold", preset.name),
    ...facts.map((fact) => indent + fact),
    indent + wrapText(preset.when, width, INDENT),
    "",
  ];
}

function next(program: string, paint: Paint): string[] {
  return [paint("bold", "next"), `  ${program} init my.yaml --data pairs.jsonl --preset ${PRESETS[0]?.name}`];
}

/** @throws RerankTuneError USAGE for a name that no preset has, with the nearest one. */
export function findPreset(name: string): Preset {
  const found = PRESETS.find((preset) => preset.name === name);
  if (found !== undefined) return found;
  const [nearest] = [...PRESETS].sort((left, right) => distance(name, left.name) - distance(name, right.name));
  const near = nearest !== undefined && distance(name, nearest.name) <= Math.max(2, name.length / 3);
  throw new RerankTuneError({
    code: "USAGE",
    message: `There is no preset ${JSON.stringify(name)}.`,
    hint: near ? `did you mean \`--preset ${nearest.name}\`?` : "see them all: `rerank-tune presets`",
  });
}
