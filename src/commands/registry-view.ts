// `registry view KIND FOLDER`: makes, updates or checks a folder that other programs read models from.
import { RerankTuneError } from "../errors.js";
import { type BuiltView, buildView, type CheckedView, checkView, type ViewKind } from "../registry/views/index.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, displayPath } from "./context.js";
import { openLocal, type RegistryFlags } from "./local-registry.js";

export interface ViewFlags extends RegistryFlags {
  all?: boolean;
  link?: boolean;
  check?: boolean;
  org: string;
}

/** @throws RerankTuneError those of building; a view that differs is a result with the failure VIEW_DIFFERS. */
export async function viewRegistry(
  kind: ViewKind,
  target: string,
  models: readonly string[],
  flags: ViewFlags,
  context: CommandContext,
): Promise<Renderable> {
  const { root } = await openLocal(flags);
  const onFile = (completed: number, total: number): void =>
    context.emit({ type: "progress", completed, total, unit: "files" });
  context.emit({ type: "phase", name: flags.check === true ? "check the view" : "make the view" });
  if (flags.check === true) return checkedResult(kind, await checkView(root, target, kind, onFile));
  const { org, all = false, link = false } = flags;
  const { signal } = context;
  const built = await buildView(root, target, { kind, models, org, all, link, onFile, signal });
  return { data: built, essential: built.folder, text: () => builtText(built) };
}

function builtText(built: BuiltView): string {
  const { folder, versions, files, bytes, bytes_written, files_linked, removed } = built;
  const linked = files_linked === 0 ? "" : `, ${files_linked} of them hard links to the registry`;
  const gone = removed.length === 0 ? [] : [`removed  ${removed.join(", ")}`];
  return [
    `view     ${displayPath(folder)}`,
    `holds    ${versions} versions, ${files} files, ${size(bytes)}${linked}`,
    `written  ${size(bytes_written)}`,
    ...gone,
    "",
    ...usage(built),
  ].join("\n");
}

/** What to type next, for a person who just made the view. */
function usage({ kind, folder }: BuiltView): string[] {
  const place = displayPath(folder);
  return kind === "hub"
    ? [
        `Python  HF_HUB_CACHE=${place} HF_HUB_OFFLINE=1 python …`,
        `TEI     text-embeddings-router --huggingface-hub-cache ${place} --model-id …`,
      ]
    : [
        `TEI     text-embeddings-router --model-id ${place}/NAME/ALIAS`,
        `Node    env.localModelPath = "${place}"; from_pretrained("NAME/ALIAS")`,
      ];
}

function checkedResult(kind: ViewKind, checked: CheckedView): Renderable {
  const { folder, differences, files, versions } = checked;
  if (differences.length === 0)
    return {
      data: checked,
      essential: "same",
      text: () => `the same as the registry: ${versions} versions, ${files} files`,
    };
  const failure = new RerankTuneError({
    code: "VIEW_DIFFERS",
    message: `${folder} differs from the registry in ${differences.length} ${differences.length === 1 ? "place" : "places"}.`,
    hint: `run \`rerank-tune registry view ${kind} ${displayPath(folder)}\` again to bring it up to date`,
    problems: differences.map(({ path, what }) => ({ path, message: what })),
  });
  return { data: checked, essential: "differs", text: () => "", failure };
}
