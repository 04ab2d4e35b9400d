// Reads what strace wrote: one call per line, strings in hex.

/** What libuv writes to wake its main thread: the number one in eight bytes. No file of the registry holds that. */
const WAKE = `"${["01", "00", "00", "00", "00", "00", "00", "00"].map((byte) => `\\x${byte}`).join("")}", 8)`;

/** Calls in order; `wake` marks those that concern the event loop and no file. */
export function parseTrace(text) {
  return text.split("\n").flatMap((line) => {
    const match = /^(\w+)\((.*)\)\s+= (-?\d+|\?)(.*)$/.exec(line);
    if (match === null) return [];
    const [, name, parameters, result, rest] = match;
    const strings = [...parameters.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex]) =>
      Buffer.from(hex.replaceAll("\\x", ""), "hex"),
    );
    const descriptor = /^\d+/.exec(parameters)?.[0];
    const wake = name === "write" && line.includes(WAKE);
    return [{ name, parameters, strings, descriptor, result: Number(result), failed: rest.includes("INJECTED"), wake }];
  });
}

/** Calls on files among these names. */
export function fileCalls(text, names) {
  return parseTrace(text).filter(({ name, wake }) => names.includes(name) && !wake);
}
