// Operations on what is made from a registry or for one: signatures, evidence, views, mirrors, versions that are fetched or pulled.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { serveRegistry } from "./oci-stand-in.mjs";
import { brokenNames } from "./readers.mjs";
import { makeKey, plainTree, plainView, publishWithEvidence } from "./signed.mjs";
import { tree, view } from "./state.mjs";
import { collect, LATER, NOW, opened, publish, twoVersions } from "./versions.mjs";

const flagsOf = (place) => ({ artifacts: place.folder, registry: place.root });
const context = (place, more = {}) => ({
  variables: { RERANK_TUNE_HOME: place.home, HOME: place.home },
  signal: new AbortController().signal,
  emit: () => undefined,
  now: () => NOW,
  ...more,
});

/** A version with its statements, without a signature. */
async function unsigned(product, place) {
  await product.openRegistry(place.root, { create: true });
  await makeKey(product, place);
  await publishWithEvidence(product, place, "one", { signed: false, few: true });
}

/** A registry elsewhere with one signed version under two aliases; made once, and only read. */
async function origin(product, place) {
  const elsewhere = { ...place, root: join(place.sources, "origin"), key: join(place.sources, "origin.pem") };
  const made = await readFile(join(elsewhere.root, "index.json")).catch(() => undefined);
  if (made === undefined) {
    await product.openRegistry(elsewhere.root, { create: true });
    await makeKey(product, elsewhere);
    await publishWithEvidence(product, elsewhere, "two", { report: 2, weightsPath: "vocab.txt", few: true });
    const move = { reference: "reranker", alias: "staging", reason: "chosen", now: NOW };
    await (await opened(product, elsewhere)).moveAlias(move);
  }
  return elsewhere;
}

const build = async (product, place, kind, link = false, only = []) =>
  void (await product.buildView(place.root, place.target, { kind, models: only, all: false, org: "local", link }));

/** Two models, one of them the int8 folder for TEI, one with external data. */
async function models(product, place) {
  await publish(product, place, "one", { alias: "prod" });
  await publish(product, place, "one");
  await publish(product, place, "one", { name: "reranker-int8" });
}

/** A second version: both aliases leave the first one, which goes out of the view, and a third is new. */
async function goOn(product, place) {
  const shared = [{ path: "onnx/model.onnx_data", source: { content: "external" } }];
  await publish(product, place, "two", { files: shared });
  await publish(product, place, "two", { files: shared, alias: "prod" });
  await publish(product, place, "two", { files: shared, alias: "staging" });
}

/** Of the registry everything, of a view or a folder what readers look at by name. */
async function viewOfBoth(product, place) {
  const shown = Object.entries((await tree(place.target)) ?? {}).filter(
    ([path]) => path !== "" && !/^\.rerank-tune-|\.partial-/.test(path),
  );
  return JSON.stringify({ registry: await view(product, { ...place, target: join(place.folder, "none") }), shown });
}

/** A view may be cut off anywhere; the registry is as it was, and every name that readers know leads to a whole version. */
function viewOperation(kind, { update = false, link = false, relink = false, only } = {}) {
  return {
    parts: ["views"],
    prepare: async (product, place) => {
      await models(product, place);
      if (update) await build(product, place, kind, link && !relink);
      if (only !== undefined) await publish(product, place, "two");
      if (only !== undefined) await build(product, place, kind);
      if (update && !relink) await goOn(product, place);
    },
    run: (product, place) => build(product, place, kind, link, only),
    look: viewOfBoth,
    between: async (product, place, seen, operation) => {
      const registry = (text) => JSON.parse(text).registry;
      const changed = registry(seen) === registry(operation.old) ? [] : ["the registry changed"];
      return [...changed, ...lostNames(seen, operation), ...(await brokenNames(product, place, kind, relink))];
    },
  };
}

/** Refs and links of before that are also there after. */
function lostNames(seen, { old, after }) {
  const pointers = (text) =>
    JSON.parse(text).shown.flatMap(([path, what]) => (/\/refs\//.test(path) || what.startsWith("link") ? [path] : []));
  const [now, then] = [new Set(pointers(seen)), new Set(pointers(after.view))];
  return pointers(old).flatMap((path) => (then.has(path) && !now.has(path) ? [`${path} is gone`] : []));
}

export const derived = {
  pullVerified: {
    prepare: (product, place) => publish(product, place, "one"),
    run: async (product, place) =>
      void (await (await opened(product, place)).pull("reranker", place.target, { reread: true })),
    once: true,
  },
  sign: {
    parts: ["signing"],
    prepare: unsigned,
    run: async (product, place) => void (await product.signVersion("reranker", { ...flagsOf(place), key: place.key })),
    look: plainView,
    // signatures that a cut left unnamed are random: the same again makes others, and collection takes the first away
    leaves: async (product, place) => {
      await collect(product, place, LATER);
      return await plainTree(product, place, await tree(place.folder));
    },
  },
  evidence: {
    parts: ["signing"],
    prepare: async (product, place) => {
      await product.openRegistry(place.root, { create: true });
      await makeKey(product, place);
      await publishWithEvidence(product, place, "one", { few: true });
      await (await opened(product, place)).pull("reranker", place.target);
    },
    run: async (product, place) =>
      void (await product.writeEvidence("reranker", place.target, { ...flagsOf(place), key: [`${place.key}.pub`] })),
    look: viewOfBoth,
    between: async (_product, _place, seen, { after }) => {
      const whole = new Map(JSON.parse(after.view).shown);
      return JSON.parse(seen).shown.flatMap(([path, what]) => (whole.get(path) === what ? [] : [`${path} is ${what}`]));
    },
  },
  viewHub: viewOperation("hub"),
  updateHub: viewOperation("hub", { update: true }),
  viewFolders: viewOperation("folders"),
  updateFolders: viewOperation("folders", { update: true }),
  updateLinked: viewOperation("folders", { update: true, link: true }),
  relink: viewOperation("folders", { update: true, link: true, relink: true }),
  // two models and two versions become one of each
  narrowFolders: viewOperation("folders", { only: ["reranker:latest"] }),
  mirror: {
    parts: ["signing", "mirror"],
    prepare: async (product, place) => {
      await origin(product, place);
      await twoVersions(product, place);
    },
    run: async (product, place) => {
      const version = await (await product.openRegistry(join(place.sources, "origin"))).frozen("reranker");
      const prepared = await product.folderDestination.prepare(`folder:${place.root}`, version, context(place));
      await prepared.carryOut();
    },
  },
  fetch: {
    parts: ["signing", "oci"],
    prepare: async (product, place) => {
      await origin(product, place);
      await publish(product, place, "one");
      await mkdir(place.home);
    },
    run: async (product, place) => {
      const { host, close } = await serveRegistry(join(place.sources, "origin"));
      const settings = {
        ...context(place),
        registry: place.root,
        patience: { attempts: 3, pauseMs: 5, silenceMs: 5000 },
      };
      await product.fetchVersion(`oci://${host}/team/reranker:latest`, settings).finally(close);
    },
    look: plainView,
    leaves: async (product, place) => await plainTree(product, place, await tree(place.folder)),
  },
};
