// The door of the server: a registry read over HTTP by the Hub's own clients and by browsers. Nothing here writes.
export { isLoopback } from "./access.js";
export { type RequestLog, type RunningServer, type ServeOptions, startServer } from "./server.js";
