// wget reads no variable for certificates: proxy.env() gives it a start-up file.
import { testProgram } from "./children.ts";

testProgram("wget", { command: "wget", args: (url) => ["--quiet", "--tries=1", "--output-document=-", url] });
