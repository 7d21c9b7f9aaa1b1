export * from "deno-std/http/negotiation.js";
