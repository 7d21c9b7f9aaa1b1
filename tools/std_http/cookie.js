export * from "deno-std/http/cookie.js";
