// What a view consists of, before anything is written: folders of versions, small texts, and links of aliases. Pure but for reading manifests.
import { RerankTuneError } from "../../errors.js";
import {
  type Catalog,
  type CatalogFile,
  type CatalogModel,
  type CatalogReader,
  gitIdOf,
  revisionOf,
} from "../catalog.js";
import { parseReference } from "../reference.js";

export const VIEW_KINDS = ["hub", "folders"] as const;
/** `hub`: the cache layout of the Hub's clients. `folders`: plain folders, for TEI, transformers.js and mounts. */
export type ViewKind = (typeof VIEW_KINDS)[number];

export interface ViewSelection {
  kind: ViewKind;
  /** `name`, `name:alias` or `name@sha256:…`; a bare name means all its aliases. Empty: every model. */
  models: readonly string[];
  /** Also versions that no alias points to. */
  all: boolean;
  /** Organization in the names that clients of the Hub use. */
  org: string;
}

/** Paths are relative to the view, with forward slashes. */
export interface ViewPlan {
  /** Top folders that belong to the view, one a model. */
  owned: string[];
  /** Folders that hold one version each. */
  versions: Map<string, readonly CatalogFile[]>;
  /** Small files with their content. */
  texts: Map<string, string>;
  /** Symbolic links with their targets, which lie beside them. */
  links: Map<string, string>;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND for a model that is not there; REGISTRY_CORRUPT for a damaged manifest. */
export async function planView(reader: CatalogReader, selection: ViewSelection): Promise<ViewPlan> {
  const plan: ViewPlan = { owned: [], versions: new Map(), texts: new Map(), links: new Map() };
  for (const { model, aliases, digests } of selected(await reader.models(), selection)) {
    const top = selection.kind === "hub" ? `models--${selection.org}--${model.name}` : model.name;
    plan.owned.push(top);
    for (const digest of digests) {
      const files = await reader.filesOf(digest);
      if (selection.kind === "hub") addSnapshot(plan, top, digest, files);
      else plan.versions.set(`${top}/${revisionOf(digest)}`, files);
    }
    for (const [alias, digest] of aliases)
      if (selection.kind === "hub") plan.texts.set(`${top}/refs/${alias}`, revisionOf(digest));
      else plan.links.set(`${top}/${alias}`, revisionOf(digest));
  }
  return plan;
}

/** Refs without line ends: TEI's hf-hub reads them as they are. A pinned revision needs a ref of its own name for the same reader. */
function addSnapshot(plan: ViewPlan, top: string, digest: string, files: readonly CatalogFile[]): void {
  const revision = revisionOf(digest);
  plan.versions.set(`${top}/snapshots/${revision}`, files);
  plan.texts.set(`${top}/refs/${revision}`, revision);
  plan.texts.set(`${top}/trees/${revision}.json`, treeText(files));
}

/** The listing by which huggingface_hub tells a whole snapshot from a part of one. */
function treeText(files: readonly CatalogFile[]): string {
  const entry = (file: CatalogFile) => ({
    size: file.bytes,
    blob_id: gitIdOf(file),
    lfs_sha256: file.sha256,
    lfs_size: file.bytes,
  });
  const listed = Object.fromEntries(files.map((file) => [file.path, entry(file)]));
  return JSON.stringify({ format_version: 1, files: listed }, null, 1);
}

interface SelectedModel {
  model: CatalogModel;
  /** With `main` for readers of the Hub's layout. */
  aliases: Map<string, string>;
  digests: Set<string>;
}

function selected(catalog: Catalog, selection: ViewSelection): SelectedModel[] {
  const chosen = new Map<string, SelectedModel>();
  const pick = (name: string, wanted: (alias: string, digest: string) => boolean, pinned: readonly string[]): void => {
    const model = catalog.get(name);
    if (model === undefined) throw notThere(name);
    const entry = chosen.get(name) ?? { model, aliases: new Map(), digests: new Set() };
    for (const [alias, digest] of aliasesShown(model, selection.kind))
      if (wanted(alias, digest)) entry.aliases.set(alias, digest);
    for (const digest of [...entry.aliases.values(), ...pinned]) entry.digests.add(digest);
    if (entry.digests.size > 0) chosen.set(name, entry);
  };
  if (selection.models.length === 0)
    for (const { name, versions } of catalog.values()) pick(name, () => true, selection.all ? versions : []);
  for (const text of selection.models) {
    const { name, alias, digest } = parseReference(text);
    const model = catalog.get(name);
    const whole = text === name;
    const meant = digest ?? (whole ? undefined : model?.aliases[alias ?? ""]);
    if (model === undefined || (!whole && (meant === undefined || !model.versions.includes(meant))))
      throw notThere(text);
    const pinned = meant === undefined ? (selection.all ? model.versions : []) : [meant];
    pick(name, (_, target) => whole || target === meant, pinned);
  }
  return [...chosen.values()];
}

/** An alias that looks like a revision is not shown: it could stand in for another version. */
function aliasesShown({ aliases }: CatalogModel, kind: ViewKind): [string, string][] {
  const shown = Object.entries(aliases).filter(([alias]) => !/^[0-9a-f]{40}$/.test(alias));
  return kind === "hub" && aliases.main === undefined && aliases.latest !== undefined
    ? [...shown, ["main", aliases.latest]]
    : shown;
}

const notThere = (text: string): RerankTuneError =>
  new RerankTuneError({
    code: "REGISTRY_NOT_FOUND",
    message: `${text} is not in the registry.`,
    hint: "see `rerank-tune registry list` for what is there",
  });
