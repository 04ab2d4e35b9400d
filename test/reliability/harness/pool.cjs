// Loaded before everything else in a traced child: finds the one thread of libuv's pool, which does all work on files.
const { readdirSync, stat } = require("node:fs");

const before = new Set(readdirSync("/proc/self/task"));
globalThis.poolThread = new Promise((found) => {
  stat("/", () => found(readdirSync("/proc/self/task").filter((thread) => !before.has(thread))));
});
