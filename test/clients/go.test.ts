// Go's net/http, which uses no proxy for loopback addresses.
import { testProgram } from "./children.ts";

const PROGRAM = `package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	response, err := http.Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	io.Copy(os.Stdout, response.Body)
}
`;

testProgram("Go", {
  command: "go",
  files: { "get.go": PROGRAM },
  args: (url) => ["run", "get.go", url],
  // Nothing is to be fetched for it.
  env: { GOFLAGS: "-mod=mod", GOPROXY: "off", GO111MODULE: "off" },
});
