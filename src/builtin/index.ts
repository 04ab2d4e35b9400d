// The door to the embedded defaults of the quickstart: a base model and a data set that need no model hub.
export { type BuiltinOptions, builtinBase } from "./base.js";
export { builtinData } from "./data.js";
