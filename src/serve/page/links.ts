// Addresses of the registry's pages and files. Pure.
import type { Library } from "../library.js";

/** Names and revisions hold no character that means something in an address; encoding keeps it so. */
export const linkTo = (library: Library, name: string, ...rest: readonly string[]): string =>
  ["", library.organization, name, ...rest].map(encodeURIComponent).join("/");
