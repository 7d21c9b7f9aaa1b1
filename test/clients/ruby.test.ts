// Ruby's Net::HTTP and open-uri.
import { testProgram } from "./children.ts";

testProgram("Ruby, Net::HTTP", {
  command: "ruby",
  args: (url) => ["-rnet/http", "-e", "print Net::HTTP.get(URI(ARGV[0]))", url],
});
testProgram("Ruby, open-uri", {
  readsCredentials: false,
  command: "ruby",
  args: (url) => ["-ropen-uri", "-e", "print URI.open(ARGV[0]).read", url],
});
