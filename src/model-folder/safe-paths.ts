// Which paths may come in from elsewhere: ones that mean the same single file inside the folder on every system. Pure.

/** Names that are devices on Windows whatever follows their first dot (learn.microsoft.com, "Naming files, paths, and namespaces"). */
const DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])$/i;
/** Characters that no name may have on Windows; the colon also names alternate streams and drives. */
const FOREIGN = /[<>"|?*]/;
/** Characters that are not seen, or turn the text around them, so that a name reads as another. */
const INVISIBLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
/** Bytes of one name that usual file systems keep. */
const LONGEST_NAME = 255;
const LONGEST_PATH = 1024;

/**
 * Why a file of a version may not be written below a folder, or undefined when it may.
 * Manifests can come from elsewhere, so their paths are not trusted.
 */
export function pathProblem(path: string): string | undefined {
  if (path === "") return "an empty path";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused
  if (/[\u0000-\u001f\\:]/.test(path)) return "a control character, backslash or colon in the path";
  const parts = path.split("/");
  if (parts.some((part) => part === "" || part === "." || part === ".."))
    return "a path that leaves the folder or has empty parts";
  if (/\p{Surrogate}/u.test(path)) return "a path that is no valid Unicode";
  if (INVISIBLE.test(path)) return "an invisible character in the path";
  if (FOREIGN.test(path)) return "a character in the path that not every system has";
  if (parts.some((part) => DEVICE.test((part.split(".")[0] ?? "").trim()))) return "a name that is a device on Windows";
  if (parts.some((part) => /[. ]$/.test(part))) return "a name that ends in a dot or a space";
  if (Buffer.byteLength(path) > LONGEST_PATH || parts.some((part) => Buffer.byteLength(part) > LONGEST_NAME))
    return "a path that is too long";
  return undefined;
}

/** The first path that equals an earlier one on a file system without case, or lies below a file as if that were a folder; or undefined. */
export function clashingPath(paths: readonly string[]): string | undefined {
  const files = new Set<string>();
  const folders = new Map<string, string>();
  for (const path of paths) {
    const folded = fold(path);
    if (files.has(folded) || folders.has(folded)) return path;
    files.add(folded);
    for (const parent of parents(path)) {
      const known = folders.get(fold(parent));
      if (files.has(fold(parent)) || (known !== undefined && known !== parent)) return path;
      folders.set(fold(parent), parent);
    }
  }
  return undefined;
}

/** Upper case first, so that ß and ss, and the two lower-case sigmas, meet as they do on file systems without case. */
const fold = (path: string): string => path.normalize("NFC").toUpperCase().toLowerCase();

function parents(path: string): string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, count) => parts.slice(0, count + 1).join("/"));
}
