// The registry's pages in a real browser: what Chromium makes of them, and that nothing of a card or report runs.
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packagedRegistry } from "../helpers/packaged-registry.js";
import { serving } from "../helpers/running-server.js";
import { type ServedRegistry, servedRegistry } from "../helpers/served-registry.js";

let folder: string;
let served: ServedRegistry;
let browser: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rerank-tune-pages-"));
  served = await servedRegistry(undefined, folder);
  browser = await chromium();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function chromium(): Promise<string> {
  for (const name of ["chromium", "chromium-browser", "google-chrome"])
    for (const place of (process.env.PATH ?? "").split(delimiter)) {
      const path = join(place, name);
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
  throw new Error("these tests need Chromium: `apt-get install chromium`");
}

/** The document after the browser read it, and what it complained about. */
async function dumped(url: string, ...flags: string[]): Promise<{ dom: string; complaints: string[] }> {
  const profile = await mkdtemp(join(folder, "profile-"));
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", `--user-data-dir=${profile}`];
  const { stdout, stderr } = await execa(browser, [...args, "--enable-logging=stderr", ...flags, "--dump-dom", url]);
  return { dom: stdout, complaints: stderr.split("\n").filter((line) => /CONSOLE|Content Security Policy/.test(line)) };
}

const textOf = (dom: string) =>
  dom
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

describe("the pages in Chromium", () => {
  test("list the models, and show a version with its card, files, reports and history", {
    timeout: 120_000,
  }, async () => {
    const { url, log } = await serving(served.registry.root);
    const home = await dumped(`${url}/`);
    expect(textOf(home.dom)).toMatch(
      /Models 2 models, read-only local\/reranker 2 versions.* latest local\/reranker-int8 1 version/,
    );
    expect(home.complaints).toEqual([]);
    const model = await dumped(`${url}/local/reranker`);
    expect(model.complaints).toEqual([]);
    const text = textOf(model.dom);
    const sha = served.second.digest.slice(7, 47);
    for (const part of [
      `Revision ${sha}`,
      `Digest ${served.second.digest}`,
      "Licence apache-2.0",
      `hf download local/reranker --revision ${sha}`,
      "Card A &lt;b&gt;card&lt;/b&gt; Files",
      "odd/naïve name+100%.txt",
      "report, unsigned",
      "name bytes quality.ndcg@10 fp32 12 0.5 int8 6 0.25",
      "publish test",
    ])
      expect(text).toContain(part);
    expect(text).toContain("this one");
    // the report has a script element in it, as text
    expect(model.dom).not.toMatch(/<script/i);
    expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    const asked = log.map(({ path }) => path).filter((path) => path !== "/favicon.ico");
    expect(asked, "a page loads nothing beside itself").toEqual(["/", "/local/reranker"]);
  });

  test("name what is not there, in a page", { timeout: 60_000 }, async () => {
    const { url } = await serving(served.registry.root);
    const { dom } = await dumped(`${url}/local/nobody`);
    expect(textOf(dom)).toContain("404 This registry has no such model.");
  });
});

describe("a page", () => {
  test("comes with a policy that allows its style sheet and nothing else", async () => {
    const { get } = await serving(served.registry.root);
    for (const path of ["/", "/local/reranker", `/local/reranker/tree/${served.first.digest.slice(7, 47)}`]) {
      const { status, headers, body } = await get(path, { Accept: "text/html" });
      expect([status, headers["content-type"]], path).toEqual([200, "text/html; charset=utf-8"]);
      expect(headers["content-security-policy"]).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'/,
      );
      expect(headers["x-content-type-options"]).toBe("nosniff");
      expect(body.toString()).not.toMatch(/<script|<link|<img|<iframe|\sstyle=|\son\w+=|@import|url\(/i);
    }
    const { headers } = await get("/local/reranker/resolve/main/README.md", { Accept: "text/html" });
    expect(headers["content-security-policy"]).toContain("sandbox");
  });

  test("shows what a version was made from, and none of the recipe's texts", async () => {
    const { get } = await serving((await packagedRegistry()).root);
    const text = textOf((await get("/local/reranker", { Accept: "text/html" })).body.toString());
    expect(text).toMatch(/version reranker [0-9a-f]{12} packaged weights model\.safetensors [0-9a-f]{12}/);
    expect(text).toContain("trained base hub:owner/base@0123");
    expect(text).toMatch(/version reranker-int8 [0-9a-f]{12} same bytes as onnx\/model\.onnx graph int8/);
    expect(text).not.toMatch(/Client Ltd|secret words/);
  });

  test("links to every file by its pinned revision, and the links work", async () => {
    const { get } = await serving(served.registry.root);
    const page = (await get("/local/reranker")).body.toString();
    const links = [...page.matchAll(/href="(\/local\/reranker\/resolve\/[^"]+)"/g)].map((match) => match[1] as string);
    expect(links).toHaveLength(6);
    for (const link of links) expect((await get(link)).status, link).toBe(200);
  });
});
