// The licence that a base's own card names: it goes over to what is tuned from it, so nobody should have to copy it by hand.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";

/** Fields of a card's front matter, as the Hub names them; name and link come with `other`. */
export const baseLicenseSchema = z.object({
  license: z.string().min(1),
  license_name: z.string().min(1).optional(),
  license_link: z.string().min(1).optional(),
});
export type BaseLicense = z.infer<typeof baseLicenseSchema>;

/** @returns undefined where the folder has no card, or the card names no licence. */
export async function baseLicense(folder: string): Promise<BaseLicense | undefined> {
  const card = await readFile(join(folder, "README.md"), "utf8").catch(() => ""); // no card: nothing said
  const yaml = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1];
  if (yaml === undefined) return undefined;
  const document = parseDocument(yaml);
  return document.errors.length > 0 ? undefined : baseLicenseSchema.safeParse(document.toJS()).data;
}
