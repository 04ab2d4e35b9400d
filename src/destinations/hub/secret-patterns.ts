// Keys and tokens by their shape. A finding names file, line and kind, never the secret itself. Pure.

interface SecretKind {
  kind: string;
  pattern: RegExp;
}

/** Shapes that their makers document; long enough that no vocabulary piece and no digest has one. */
const KINDS: readonly SecretKind[] = [
  { kind: "a private key", pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  { kind: "a Hugging Face token", pattern: /\bhf_(?:jwt_|oauth_)?[A-Za-z0-9]{30,}/ },
  { kind: "a GitHub token", pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{50,})/ },
  { kind: "a GitLab token", pattern: /\bglpat-[A-Za-z0-9_-]{20,}/ },
  { kind: "an AWS access key", pattern: /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/ },
  { kind: "a Google API key", pattern: /\bAIza[A-Za-z0-9_-]{35}\b/ },
  { kind: "a Slack token", pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{20,}/ },
  { kind: "an npm token", pattern: /\bnpm_[A-Za-z0-9]{36}\b/ },
  { kind: "a PyPI token", pattern: /\bpypi-[A-Za-z0-9_-]{50,}/ },
  { kind: "an API key", pattern: /\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{32,}/ },
  { kind: "a Stripe key", pattern: /\b[rs]k_live_[A-Za-z0-9]{20,}/ },
  { kind: "a JSON web token", pattern: /\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/ },
  { kind: "an address with a password", pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']+:[^\s/@"']{3,}@[^\s"']/i },
];

/** Every secret in a text, one a kind and line. */
export function secretsIn(text: string): { line: number; kind: string }[] {
  const found: { line: number; kind: string }[] = [];
  for (const { kind, pattern } of KINDS)
    for (const match of text.matchAll(new RegExp(pattern, `${pattern.flags}g`))) {
      const line = text.slice(0, match.index).split("\n").length;
      if (!found.some((known) => known.line === line && known.kind === kind)) found.push({ line, kind });
    }
  return found.sort((one, other) => one.line - other.line);
}
