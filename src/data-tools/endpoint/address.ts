// Where a model server is: the address a person typed, made whole, and whether texts sent there leave the machine or its network.
import { BlockList, isIP } from "node:net";
import { RerankTuneError } from "../../errors.js";
import type { StageEvent } from "../../events.js";

export interface EndpointAddress {
  url: URL;
  /** Address as it may be shown: without the query string, which may hold a key. */
  shown: string;
  reach: Reach;
}

/** `private`: the local network, by its address or by a name that public DNS does not have. */
export type Reach = "loopback" | "private" | "remote";

/** The path of an interface: whole where only a host is given, and its last part. */
export interface EndpointPath {
  whole: string;
  last: string;
}

export function isAddress(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}

/**
 * @param flag the flag that the address came with.
 * @throws RerankTuneError USAGE for anything but http and https, and for an address that carries a password.
 */
export function endpointAddress(text: string, flag: string, path: EndpointPath): EndpointAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw usage(`${flag} has no http or https address.`, `such as ${flag} http://localhost:8080`);
  if (url.username !== "" || url.password !== "")
    throw usage(
      `${flag} has a name or password in the address.`,
      "take it out: a token goes into an environment variable that --token-env names",
    );
  const given = url.pathname.replace(/\/+$/, "");
  url.pathname = given === "" ? path.whole : given.endsWith(`/${path.last}`) ? given : `${given}/${path.last}`;
  url.hash = "";
  return { url, shown: `${url.origin}${url.pathname}`, reach: reachOf(url.hostname) };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("0.0.0.0", "ipv4");
LOOPBACK.addAddress("::1", "ipv6");
LOOPBACK.addAddress("::", "ipv6");

/** RFC 1918, RFC 3927 and RFC 4291 (link-local), RFC 6598 (shared, as in tailnets), RFC 4193 (unique local). */
const PRIVATE = new BlockList();
for (const [network, bits] of [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  PRIVATE.addSubnet(network, bits, "ipv4");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");

/** Names for local use alone: RFC 6762 (.local), RFC 8375 (.home.arpa), ICANN 2024 (.internal); .lan is in no public zone. */
const PRIVATE_NAME = /\.(local|internal|lan|home\.arpa)$/;

/** By the name as it stands, without asking DNS: what a public name means today may change between check and call. */
export function reachOf(hostname: string): Reach {
  const host = hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
  const version = isIP(host);
  if (version !== 0) {
    const family = version === 4 ? "ipv4" : "ipv6";
    if (LOOPBACK.check(host, family)) return "loopback";
    return PRIVATE.check(host, family) ? "private" : "remote";
  }
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback";
  return !host.includes(".") || PRIVATE_NAME.test(host) ? "private" : "remote";
}

/**
 * Lets nothing out unasked: the texts of a person's data go to a host beyond the local network only with `allowRemote`.
 * @throws RerankTuneError USAGE.
 */
export function checkReach(
  { url, reach }: EndpointAddress,
  allowRemote: boolean,
  emit: (event: StageEvent) => void,
): void {
  if (reach !== "remote") return;
  if (!allowRemote)
    throw usage(
      `${url.hostname} is neither this machine nor on a private network: the texts would leave it.`,
      "name a server of your own, or add --allow-remote if the texts may be sent to that host",
    );
  emit({ type: "warning", message: `the texts are sent to ${url.hostname}, outside this machine and its network` });
  if (url.protocol === "http:")
    emit({ type: "warning", message: `they are sent to ${url.hostname} unencrypted (http)` });
}

/**
 * The token that the named environment variable holds. Neither name nor value is ever shown: the name may be the token by mistake.
 * @throws RerankTuneError USAGE.
 */
export function tokenOf(name: string | undefined, variables: NodeJS.ProcessEnv = process.env): string | undefined {
  if (name === undefined) return undefined;
  const token = variables[name]?.trim();
  if (token === undefined || token === "")
    throw usage(
      "The environment variable that --token-env names is not set.",
      "give the name of the variable, never the token itself, such as `--token-env RERANKER_TOKEN`",
    );
  if (/[^\x21-\x7e]/.test(token))
    throw usage(
      "The token holds a space or a character that no header can carry.",
      "set the variable to the token alone",
    );
  return token;
}

function usage(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message, hint });
}
