// Bills of materials as CycloneDX 1.6 JSON: https://cyclonedx.org/docs/1.6/json/. Pure, and without times: one environment, one text.
import { canonicalJson } from "../artifacts/hash.js";

/** artifactType of a bill beside a version. */
export const SBOM_TYPE = "application/vnd.cyclonedx+json";
/** predicateType of a signed one. */
export const SBOM_PREDICATE = "https://cyclonedx.org/bom";

export interface Component {
  ecosystem: "npm" | "pypi";
  name: string;
  version: string;
  /** As the package states it; left out unless it is an SPDX expression. */
  license?: string;
  /** Subresource integrity such as `sha512-<base64>`, where the installer recorded it. */
  integrity?: string;
  /** `name@version` of components it needs. */
  needs: readonly string[];
}

export interface SbomInput {
  /** `python` or `npm`. */
  environment: string;
  /** Version of this tool. */
  rerank_tune: string;
  components: readonly Component[];
  /** Facts about the whole, such as the digest of a lock file. */
  properties: Record<string, string>;
}

/** The whole document as canonical JSON. */
export function sbomText({ environment, rerank_tune, components, properties }: SbomInput): string {
  const reference = `rerank-tune-${environment}@${rerank_tune}`;
  const sorted = [...components].sort((left, right) => (packageUrl(left) < packageUrl(right) ? -1 : 1));
  const known = new Map(sorted.map((component) => [`${component.name}@${component.version}`, packageUrl(component)]));
  const needs = sorted.map((component) => ({
    ref: packageUrl(component),
    dependsOn: [...new Set(component.needs.flatMap((name) => known.get(name) ?? []))].sort(),
  }));
  return canonicalJson({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": reference,
        name: `rerank-tune ${environment}`,
        version: rerank_tune,
      },
      properties: Object.entries(properties).map(([name, value]) => ({ name: `rerank-tune:${name}`, value })),
    },
    components: sorted.map(componentEntry),
    dependencies: [{ ref: reference, dependsOn: sorted.map(packageUrl) }, ...needs],
  });
}

function componentEntry(component: Component): object {
  const { name, version, license, integrity, ecosystem } = component;
  const [, group, short] = /^(@[^/]+)\/(.+)$/.exec(name) ?? [undefined, undefined, name];
  const hash = /^sha512-([A-Za-z0-9+/]{86}==)$/.exec(integrity ?? "")?.[1];
  return {
    type: "library",
    "bom-ref": packageUrl(component),
    ...(ecosystem === "npm" && group !== undefined ? { group } : {}),
    name: ecosystem === "npm" ? short : name,
    version,
    purl: packageUrl(component),
    ...(license !== undefined && isExpression(license) ? { licenses: [{ expression: license }] } : {}),
    ...(hash === undefined
      ? {}
      : { hashes: [{ alg: "SHA-512", content: Buffer.from(hash, "base64").toString("hex") }] }),
  };
}

/** https://github.com/package-url/purl-spec: scope and version are escaped, names of PyPI are normalized. */
function packageUrl({ ecosystem, name, version }: Component): string {
  const normal = ecosystem === "pypi" ? name.toLowerCase().replaceAll(/[-_.]+/g, "-") : name;
  const path = normal.split("/").map(encodeURIComponent).join("/");
  return `pkg:${ecosystem}/${path}@${encodeURIComponent(version)}`;
}

/** Names of SPDX have no spaces but around the three operators; free words such as "BSD License" are none. */
function isExpression(license: string): boolean {
  const words = license.replaceAll(/[()]/g, " ").trim().split(/\s+/);
  return (
    words.length % 2 === 1 &&
    words.every((word, at) => (at % 2 === 1 ? /^(AND|OR|WITH)$/.test(word) : /^[A-Za-z0-9.+-]+$/.test(word)))
  );
}
