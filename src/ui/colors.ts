// When a stream gets colour and how. Meaning never hangs on colour alone.
import { styleText } from "node:util";

export type Style = "bold" | "dim" | "red" | "green" | "yellow";
/** Colours a text, or returns it as it is. */
export type Paint = (style: Style, text: string) => string;

/** FORCE_COLOR on; a non-empty NO_COLOR, TERM=dumb, --no-color or a stream that is no terminal off (no-color.org, clig.dev). */
export function usesColor(
  stream: { isTTY?: boolean },
  variables: NodeJS.ProcessEnv = process.env,
  allowed = true,
): boolean {
  if (!allowed || variables.NO_COLOR) return false;
  if (variables.FORCE_COLOR !== undefined && variables.FORCE_COLOR !== "") return variables.FORCE_COLOR !== "0";
  return stream.isTTY === true && variables.TERM !== "dumb";
}

export function painter(enabled: boolean): Paint {
  return enabled ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}

/** Whether the terminal shows more than ASCII; where the locale says nothing, ASCII. */
export function usesUnicode(variables: NodeJS.ProcessEnv = process.env, platform = process.platform): boolean {
  if (platform === "win32") return variables.WT_SESSION !== undefined;
  return /utf-?8/i.test(variables.LC_ALL || variables.LC_CTYPE || variables.LANG || "");
}
