// Java's HttpURLConnection and HttpClient, pointed at the proxy by JAVA_TOOL_OPTIONS.
import { fileURLToPath } from "node:url";
import { testProgram } from "./children.ts";

// Compiled, as Debian's runtime of Java has no compiler.
const folder = fileURLToPath(new URL("../../fixtures/java", import.meta.url));

for (const client of ["HttpURLConnection", "HttpClient"]) {
  testProgram(`Java, ${client}`, {
    command: "java",
    readsCredentials: false,
    args: (url) => ["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", folder, "Get", client, url],
  });
}
