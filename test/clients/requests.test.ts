// Python's requests.
import { spawnSync } from "node:child_process";
import { testProgram } from "./children.ts";

testProgram("Python, requests", {
  command: "python3",
  isThere: spawnSync("python3", ["-c", "import requests"]).status === 0,
  args: (url) => ["-c", "import requests, sys; print(requests.get(sys.argv[1], timeout=20).text)", url],
});
