// Keys and passwords by where they are: a file, or a variable of the environment. Never by value, and never on the command line.
import { readFile } from "node:fs/promises";
import { RerankTuneError } from "../errors.js";

/** Holds the password of an encrypted signing key. */
export const KEY_PASSWORD = "RERANK_TUNE_KEY_PASSWORD";

/**
 * Reads what `env:NAME` or a path names.
 * @param what for messages, such as `the signing key`.
 * @throws RerankTuneError KEY_UNUSABLE; the content is in no message.
 */
export async function readNamed(
  where: string,
  what: string,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (where.includes("-----BEGIN"))
    throw unusable(`${what} was given itself, where its place belongs.`, "name a file, or a variable as env:NAME");
  const name = /^env:(.*)$/.exec(where)?.[1];
  if (name !== undefined) {
    const value = variables[name];
    if (value !== undefined && value !== "") return value;
    throw unusable(`${what} should be in the variable ${name}, which is not set.`, `export ${name}, or name a file`);
  }
  try {
    return await readFile(where, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw unusable(`${what} cannot be read from ${where} (${code}).`, "check the path, or name a variable as env:NAME");
  }
}

/** The password of a key: where `--password` says, else RERANK_TUNE_KEY_PASSWORD, else none. A file's last line end does not count. */
export async function readPassword(
  where: string | undefined,
  variables: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  if (where === undefined) return variables[KEY_PASSWORD] || undefined;
  return (await readNamed(where, "the password", variables)).replace(/\r?\n$/, "");
}

function unusable(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({
    code: "KEY_UNUSABLE",
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}`,
    hint,
  });
}
