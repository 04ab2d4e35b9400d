// Evidence as files of a folder, under names that a model signature leaves out. Pure.
import { SIGNATURE_FILE } from "../../evidence/model-signing.js";
import type { Evidence } from "./states.js";

/** The evidence as files for a folder, the newest of each kind, a signed one before an unsigned one. */
export function evidenceFiles(found: readonly Evidence[]): { path: string; content: string }[] {
  const files = new Map<string, Evidence>();
  for (const item of found) {
    const path = fileOf(item);
    if (path === undefined || item.state === "refused") continue;
    const before = files.get(path);
    if (item.state !== "unsigned" || before === undefined || before.state === "unsigned") files.set(path, item);
  }
  return [...files].map(([path, { content }]) => ({ path, content }));
}

function fileOf({ kind, of }: Evidence): string | undefined {
  if (kind === "signature") return SIGNATURE_FILE;
  if (kind === "provenance") return "provenance.json";
  if (kind === "gates") return "gates.json";
  return kind === "sbom" && of !== null ? `sbom-${of}.json` : undefined;
}
