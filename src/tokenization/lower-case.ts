// Lower case as Rust's normalizers make it: letter by letter, so that no sigma becomes a final one, as it does in JavaScript.

const SIGMA = "\u03a3";

export function lowerCase(text: string): string {
  if (!text.includes(SIGMA)) return text.toLowerCase();
  return text
    .split(SIGMA)
    .map((part) => part.toLowerCase())
    .join("\u03c3");
}
