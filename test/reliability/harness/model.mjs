// What a registry should be, in memory: versions and aliases of each name, and what each alias held. Written from the promises, not from the product.

export class Model {
  /** Name to versions `{ digest, content }`, in the order of publication. */
  versions = new Map();
  /** `name:alias` to digests that it held, one after another; null where it was taken away. */
  held = new Map();
  /** `name:alias` to the digests that going back goes through; the last is the present one. */
  path = new Map();

  names() {
    return [...this.versions.keys()].filter((name) => this.of(name).length > 0);
  }

  of(name) {
    return this.versions.get(name) ?? [];
  }

  aliases(name) {
    const own = [...this.held].filter(([key]) => key.startsWith(`${name}:`));
    const there = own.filter(([, digests]) => digests.at(-1) !== null);
    return Object.fromEntries(there.map(([key, digests]) => [key.slice(name.length + 1), digests.at(-1)]));
  }

  publish(name, alias, digest, content) {
    if (!this.of(name).some((version) => version.digest === digest))
      this.versions.set(name, [...this.of(name), { digest, content }]);
    this.move(name, alias, digest);
  }

  /** @returns whether it moved. */
  move(name, alias, digest) {
    const key = `${name}:${alias}`;
    const held = this.held.get(key) ?? [];
    if (held.at(-1) === digest) return false;
    this.held.set(key, [...held, digest]);
    const path = this.path.get(key) ?? [];
    if (path.at(-1) !== digest) this.path.set(key, [...path, digest]);
    return true;
  }

  /** @returns what the alias held, or undefined where there is none. */
  takeAway(name, alias) {
    const digest = this.aliases(name)[alias];
    if (digest !== undefined) this.held.set(`${name}:${alias}`, [...this.held.get(`${name}:${alias}`), null]);
    return digest;
  }

  /** The version that going back leads to: the nearest on the path that is still there and is not the present one. */
  before(name, alias) {
    const path = this.path.get(`${name}:${alias}`) ?? [];
    const present = this.aliases(name)[alias];
    return path.findLast((digest) => digest !== present && this.has(name, digest));
  }

  rollback(name, alias) {
    const key = `${name}:${alias}`;
    const target = this.before(name, alias);
    if (target === undefined) return undefined;
    const path = this.path.get(key);
    this.path.set(key, path.slice(0, path.lastIndexOf(target) + 1));
    this.held.set(key, [...this.held.get(key), target]);
    return target;
  }

  has(name, digest) {
    return this.of(name).some((version) => version.digest === digest);
  }

  holds(name, digest) {
    return Object.values(this.aliases(name)).includes(digest);
  }

  remove(name, digest) {
    this.versions.set(
      name,
      this.of(name).filter((version) => version.digest !== digest),
    );
  }

  /** Keeps of every alias the present version and the `keep` different ones it held last. */
  collect(keep) {
    for (const name of this.names()) {
      const kept = new Set();
      for (const [key, digests] of this.held) {
        if (!key.startsWith(`${name}:`) || digests.at(-1) === null) continue;
        const last = new Set();
        for (const digest of digests.toReversed()) if (digest !== null && last.size <= keep) last.add(digest);
        for (const digest of last) kept.add(digest);
      }
      this.versions.set(
        name,
        this.of(name).filter(({ digest }) => kept.has(digest)),
      );
    }
  }
}
