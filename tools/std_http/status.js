export * from "deno-std/http/status.js";
