// Reads the Hub's answer to "who am I": whether this token may write there, before gigabytes find out. Pure.
import { z } from "zod";

const scopedSchema = z.object({
  entity: z.object({ type: z.string(), name: z.string().optional() }),
  permissions: z.array(z.string()),
});
/** Of `/api/whoami-v2`, what decides; anything else may be there. */
const whoSchema = z.object({
  type: z.string().optional(),
  name: z.string(),
  isPro: z.boolean().optional(),
  orgs: z
    .array(z.object({ name: z.string(), roleInOrg: z.string().optional(), isEnterprise: z.boolean().optional() }))
    .optional(),
  auth: z
    .object({
      expiresAt: z.string().optional(),
      accessToken: z
        .object({
          role: z.string(),
          fineGrained: z.object({ scoped: z.array(scopedSchema).optional() }).optional(),
        })
        .optional(),
    })
    .optional(),
});

export interface Rights {
  /** Why the release cannot work, and what to do. */
  problem?: { message: string; hint: string };
  /** For the plan. */
  notes: string[];
}

const SETTINGS = "https://huggingface.co/settings/tokens";
const WRITE = "repo.write";

/** @param exists whether the repository is there; a new one needs the right to make one in its namespace. */
export function rightsOf(answer: unknown, repo: string, exists: boolean): Rights {
  const read = whoSchema.safeParse(answer);
  if (!read.success) return { notes: ["the hub does not say what the token may do; it is tried"] };
  const { name, auth, orgs = [] } = read.data;
  const [namespace = ""] = repo.split("/");
  const own = same(name, namespace);
  const organization = orgs.find((org) => same(org.name, namespace));
  const role = auth?.accessToken?.role ?? "unknown";
  const notes = [`as ${name}, with a token of role ${role}`, ...expiry(auth?.expiresAt)];
  const problem = (message: string, hint: string): Rights => ({ problem: { message, hint }, notes });
  if (role === "read")
    return problem(`The token of ${name} may only read.`, `make one with the role write at ${SETTINGS}`);
  if (role === "fineGrained") {
    const scoped = auth?.accessToken?.fineGrained?.scoped ?? [];
    if (mayWrite(scoped, repo, namespace, exists)) return { notes };
    const need = exists
      ? `write access to ${repo}`
      : `write access to all repositories of ${namespace}, to make a new one`;
    return problem(`The fine-grained token of ${name} lacks ${need}.`, `add it at ${SETTINGS}`);
  }
  if (own) return { notes };
  if (organization === undefined)
    return problem(
      `${name} is no member of ${namespace}.`,
      `release to hub:${name}/${repo.split("/")[1]}, or use the token of a member`,
    );
  if (organization.roleInOrg === "read")
    return problem(`${name} may only read in ${namespace}.`, `ask an administrator of ${namespace} for the role write`);
  return { notes: [...notes, `${organization.roleInOrg ?? "member"} of ${namespace}`] };
}

/** A right on a repository itself cannot make it. */
function mayWrite(scoped: z.infer<typeof scopedSchema>[], repo: string, namespace: string, exists: boolean): boolean {
  return scoped
    .filter(({ permissions }) => permissions.includes(WRITE))
    .some(({ entity: { type, name = "" } }) =>
      type === "user" || type === "org" ? same(name, namespace) : type === "model" && exists && same(name, repo),
    );
}

function expiry(at: string | undefined): string[] {
  return at === undefined ? [] : [`the token ends ${at.slice(0, 10)}`];
}

/** Names on the Hub differ by more than case. */
const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();
