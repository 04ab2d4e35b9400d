// What a card is written from.
import type { PackageManifest } from "../../model-folder/layout.js";
import type { VerifyOutput } from "../verify/schema.js";

export interface CardInput {
  name: string;
  license: string;
  /** Come with the licence `other`. */
  license_name?: string;
  license_link?: string;
  languages: readonly string[];
  description?: string;
  /** Manifest of what is published. */
  manifest: PackageManifest;
  verified: VerifyOutput;
  withheld: readonly { name: string }[];
}
